// Command foreign checks a log of ours with Go's own modules for signed notes and tiled logs
// (golang.org/x/mod/sumdb/note and tlog), of which no line is ours.
//
//	foreign DIR VKEY
//
// DIR holds a log as static files: checkpoint, tile/..., tile/entries/..., and proofs.json with
// proofs to be checked. The answer is one JSON object on standard output; the exit status is 1 if
// anything is refused.
package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

type proofs struct {
	Inclusion []struct {
		Index int64
		Path  []string
	}
	Consistency []struct {
		OldSize int64
		Path    []string
	}
}

type answer struct {
	Origin      string
	Size        int64
	Signers     []string
	Inclusion   int    // proofs accepted
	Consistency int    // proofs accepted
	Note        string // the same checkpoint, signed by a new key of Go's making
	VKey        string // that key
}

func main() {
	result, err := check(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(result)
}

func check(dir, vkey string) (*answer, error) {
	opened, tree, err := openCheckpoint(dir, vkey)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	result := &answer{Origin: strings.SplitN(opened.Text, "\n", 2)[0], Size: tree.N}
	for _, signature := range opened.Sigs {
		result.Signers = append(result.Signers, signature.Name)
	}
	hashes, leaves, err := readEntries(dir, tree)
	if err != nil {
		return nil, fmt.Errorf("entries: %w", err)
	}
	if err := checkTiles(dir, tree, leaves); err != nil {
		return nil, fmt.Errorf("tiles: %w", err)
	}
	if err := checkProofs(dir, tree, hashes, leaves, result); err != nil {
		return nil, fmt.Errorf("proofs: %w", err)
	}
	return result, resign(opened.Text, result)
}

func openCheckpoint(dir, vkey string) (*note.Note, tlog.Tree, error) {
	var tree tlog.Tree
	raw, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return nil, tree, err
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, tree, err
	}
	opened, err := note.Open(raw, note.VerifierList(verifier))
	if err != nil {
		return nil, tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return nil, tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return opened, tree, err
}

// readEntries hashes every entry and compares the root with the checkpoint's.
func readEntries(dir string, tree tlog.Tree) (tlog.HashReaderFunc, []tlog.Hash, error) {
	var stored, leaves []tlog.Hash
	hashes := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			found[i] = stored[index]
		}
		return found, nil
	})
	for first := int64(0); first < tree.N; first += 1 << tileHeight {
		width := int(min(tree.N-first, 1<<tileHeight))
		tile := tlog.Tile{H: tileHeight, L: -1, N: first >> tileHeight, W: width}
		bundle, err := os.ReadFile(filepath.Join(dir, ourPath(tile)))
		if err != nil {
			return nil, nil, err
		}
		for len(bundle) > 0 {
			size := int(binary.BigEndian.Uint16(bundle))
			entry := bundle[2 : 2+size]
			bundle = bundle[2+size:]
			more, err := tlog.StoredHashes(int64(len(leaves)), entry, hashes)
			if err != nil {
				return nil, nil, err
			}
			stored = append(stored, more...)
			leaves = append(leaves, tlog.RecordHash(entry))
		}
	}
	root, err := tlog.TreeHash(tree.N, hashes)
	if err == nil && (root != tree.Hash || int64(len(leaves)) != tree.N) {
		err = fmt.Errorf("%d entries have the root %v", len(leaves), root)
	}
	return hashes, leaves, err
}

// ourPath is Go's path of a tile in the words of C2SP tlog-tiles, which fixes the height.
func ourPath(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), "tile/8/")
	return "tile/" + strings.Replace(path, "data/", "entries/", 1)
}

type tileFiles struct{ dir string }

func (files tileFiles) Height() int { return tileHeight }

func (files tileFiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (files tileFiles) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range tiles {
		raw, err := os.ReadFile(filepath.Join(files.dir, ourPath(tile)))
		if err != nil {
			return nil, err
		}
		data = append(data, raw)
	}
	return data, nil
}

// checkTiles lets Go authenticate every tile against the root and compares the leaf hashes in them.
func checkTiles(dir string, tree tlog.Tree, leaves []tlog.Hash) error {
	reader := tlog.TileHashReader(tree, tileFiles{dir})
	indexes := make([]int64, tree.N)
	for n := range indexes {
		indexes[n] = tlog.StoredHashIndex(0, int64(n))
	}
	found, err := reader.ReadHashes(indexes)
	if err != nil {
		return err
	}
	for n := range found {
		if found[n] != leaves[n] {
			return fmt.Errorf("entry %d has another hash in its tile", n)
		}
	}
	return nil
}

func checkProofs(
	dir string, tree tlog.Tree, hashes tlog.HashReader, leaves []tlog.Hash, result *answer,
) error {
	raw, err := os.ReadFile(filepath.Join(dir, "proofs.json"))
	if err != nil {
		return err
	}
	var given proofs
	if err := json.Unmarshal(raw, &given); err != nil {
		return err
	}
	for _, proof := range given.Inclusion {
		path, err := decode(proof.Path)
		if err == nil {
			err = tlog.CheckRecord(path, tree.N, tree.Hash, proof.Index, leaves[proof.Index])
		}
		if err != nil {
			return fmt.Errorf("entry %d: %w", proof.Index, err)
		}
		result.Inclusion++
	}
	for _, proof := range given.Consistency {
		path, err := decode(proof.Path)
		if err != nil {
			return err
		}
		old, err := tlog.TreeHash(proof.OldSize, hashes)
		if err == nil {
			err = tlog.CheckTree(path, tree.N, tree.Hash, proof.OldSize, old)
		}
		if err != nil {
			return fmt.Errorf("size %d: %w", proof.OldSize, err)
		}
		result.Consistency++
	}
	return nil
}

func decode(path []string) ([]tlog.Hash, error) {
	hashes := []tlog.Hash{}
	for _, text := range path {
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(raw) != tlog.HashSize {
			return nil, fmt.Errorf("%q is not a hash: %v", text, err)
		}
		hashes = append(hashes, tlog.Hash(raw))
	}
	return hashes, nil
}

func resign(text string, result *answer) error {
	skey, vkey, err := note.GenerateKey(rand.Reader, result.Origin)
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		return err
	}
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	result.Note, result.VKey = string(signed), vkey
	return err
}
