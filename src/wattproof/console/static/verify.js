// Checks a WattProof proof file in the browser, by itself: no library, no server, no trust in us.
//
// The same steps in the same order, with the same names and the same outcome, as the Python in
// wattproof/ledger/proof.py; docs/wire-format.md and docs/log-format.md say what the bytes are.
// Hashes and signatures are computed by the browser (WebCrypto: SHA-256, Ed25519).
//
//     const verdict = await verifyProof(bytes, { ledgerId: "4f2c..." });
//     verdict.ok, verdict.steps[0].name, verdict.steps[0].en, verdict.ledger_id, ...

export const MAX_PROOF_BYTES = 1 << 20;

const FORMAT = "wattproof-proof/1";
const PROFILE = "ed25519-libsodium/sha-256/1";
const MAX_TRANSACTION_BYTES = 61440;
const MAX_SIZE = 2n ** 62n;

/** Why something does not hold, in both languages. */
export class Refusal extends Error {
  constructor(en, zh) {
    super(en);
    this.en = en;
    this.zh = zh;
  }
}

export function need(condition, en, zh) {
  if (!condition) throw new Refusal(en, zh);
}

// ---- bytes --------------------------------------------------------------------------------------

export const encodeText = (text) => new TextEncoder().encode(text);
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
export const decodeText = (bytes) => strictUtf8.decode(bytes);

export const toHex = (bytes) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export const fromHex = (text) =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

export const fromBase64 = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

const toBase64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

/** The bytes of a text in base64, or null unless they would be written in exactly this way. */
function strictBase64(text) {
  try {
    const bytes = fromBase64(text);
    return toBase64(bytes) === text ? bytes : null;
  } catch {
    return null;
  }
}

function join(...parts) {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

export const equal = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]);

const hasHexAt = (bytes, at, hex) => toHex(bytes.subarray(at, at + hex.length / 2)) === hex;

export const sha256 = async (...parts) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));

// ---- CBOR: the deterministic profile of docs/wire-format.md, section 3 --------------------------

const INT_MAX = 2n ** 63n - 1n;
const MAX_DEPTH = 8;
const TYPED_ARRAYS = new Map([[64, 1], [69, 2], [70, 4], [71, 8]]);

/** Unsigned integers of `width` bytes each. */
export class UintArray {
  constructor(width, numbers) {
    this.width = width;
    this.numbers = numbers;
  }
}

const smallest = (big) => (Number.isSafeInteger(Number(big)) ? Number(big) : big);

/** The value of which `data` is the one encoding. Integers beyond 2^53 become BigInt. */
export function decodeCbor(data) {
  let at = 0;
  const refuse = (en, zh) => {
    throw new Refusal(`The CBOR is not in its one form at byte ${at}: ${en}.`,
      `CBOR 第 ${at} 字节处不符合唯一编码：${zh}。`);
  };
  const take = (count) => {
    if (count > data.length - at) refuse("it ends too early", "数据不完整");
    at += count;
    return data.subarray(at - count, at);
  };

  function argument(short) {
    if (short < 24) return short;
    if (short > 27) refuse("an indefinite length", "不定长编码");
    const number = BigInt(`0x${toHex(take(1 << (short - 24)))}`);
    const least = [24n, 2n ** 8n, 2n ** 16n, 2n ** 32n][short - 24];
    if (number < least) refuse("a number that is longer than it need be", "数值未采用最短编码");
    return smallest(number);
  }

  function typedArray(width) {
    const [head] = take(1);
    if (width === undefined || head >> 5 !== 2) refuse("an unknown tag", "未知标签");
    const bytes = take(argument(head & 31));
    if (bytes.length % width) refuse("an array that ends inside a number", "数组末尾不完整");
    const numbers = [];
    for (let start = 0; start < bytes.length; start += width) {
      const element = bytes.slice(start, start + width).reverse();
      numbers.push(smallest(BigInt(`0x${toHex(element)}`)));
    }
    const narrower = 2n ** BigInt(4 * width) - 1n;
    if (width > 1 && !numbers.some((number) => number > narrower)) {
      refuse("an array that is wider than it need be", "数组元素过宽");
    }
    return new UintArray(width, numbers);
  }

  function value(depth) {
    const [head] = take(1);
    const major = head >> 5;
    if (major === 7) {
      const simple = new Map([[0xf4, false], [0xf5, true], [0xf6, null]]);
      if (!simple.has(head)) refuse("a kind that is not used", "不使用的类型");
      return simple.get(head);
    }
    const number = argument(head & 31);
    if (major <= 1) {
      if (number > INT_MAX) refuse("an integer beyond 64 bits", "整数超出 64 位");
      return major === 0 ? number : typeof number === "bigint" ? -1n - number : -1 - number;
    }
    if (major === 2) return take(number);
    if (major === 3) {
      const bytes = take(number);
      try {
        return decodeText(bytes);
      } catch {
        refuse("a text that is not UTF-8", "文本不是 UTF-8");
      }
    }
    if (major === 6) return typedArray(TYPED_ARRAYS.get(number));
    if (major !== 4) refuse("a kind that is not used", "不使用的类型");
    if (depth === MAX_DEPTH) refuse("arrays that are nested too deep", "数组嵌套过深");
    const items = [];
    while (items.length < number) items.push(value(depth + 1));
    return items;
  }

  const found = value(0);
  if (at !== data.length) refuse("bytes follow", "其后有多余字节");
  return found;
}

function uintHead(major, number) {
  const big = BigInt(number);
  if (big < 24n) return Uint8Array.of((major << 5) | Number(big));
  const power = [8n, 16n, 32n, 64n].findIndex((bits) => big < 2n ** bits);
  const bytes = fromHex(big.toString(16).padStart(2 << power, "0"));
  return join([(major << 5) | (24 + power)], bytes);
}

const byteString = (bytes) => join(uintHead(2, bytes.length), bytes);

// ---- COSE_Sign1: the one layout of docs/wire-format.md, section 1 --------------------------------

/** Take a signed transaction apart; its signature is not looked at. */
export function parseEnvelope(raw) {
  const head = raw[43];
  const [start, size, least] =
    head === 0x58 ? [45, raw[44], 24]
      : head === 0x59 ? [46, (raw[44] << 8) | raw[45], 256]
        : [44, head - 0x40, 0];
  const end = start + size;
  const good =
    raw.length <= MAX_TRANSACTION_BYTES && hasHexAt(raw, 0, "d2845826a201")
    && (raw[6] === 0x32 || raw[6] === 0x27) && hasHexAt(raw, 7, "045820") && raw[42] === 0xa0
    && head >= 0x40 && head <= 0x59 && size >= least
    && raw.length === end + 66 && hasHexAt(raw, end, "5840");
  need(good, "A transaction is not a signed envelope (COSE_Sign1) in its one layout.",
    "交易不是规范格式的签名信封（COSE_Sign1）。");
  return {
    protected: raw.subarray(4, 42),
    kid: raw.subarray(10, 42),
    payload: raw.subarray(start, end),
    signature: raw.subarray(end + 2),
  };
}

/** The bytes that are signed: RFC 9052, section 4.4. */
const signedBytes = (header, externalData, payload) =>
  join([0x84, 0x6a], encodeText("Signature1"), byteString(header), byteString(externalData),
    byteString(payload));

const verifyEnvelope = ({ kid, payload, signature, ...envelope }, externalData) =>
  verifySignature(kid, signedBytes(envelope.protected, externalData, payload), signature);

// ---- Ed25519, with the rules that the ledger's profile adds --------------------------------------

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const littleEndian = (bytes) => BigInt(`0x${toHex(bytes.slice().reverse())}`);
const yOf = (point) => littleEndian(point) & (2n ** 255n - 1n);

// The points of order 1, 2, 4 and 8, by their y: anyone can sign for them.
const ORDER_8_Y = 0x5fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
const SMALL_ORDER_Y = new Set([1n, P - 1n, 0n, ORDER_8_Y, P - ORDER_8_Y]);
const isSoundPoint = (point) => yOf(point) < P && !SMALL_ORDER_Y.has(yOf(point));

/** Whether the signature holds. Browsers differ on crafted keys, so those are refused first. */
export async function verifySignature(publicKey, message, signature) {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  if (!isSoundPoint(publicKey) || !isSoundPoint(signature.subarray(0, 32))) return false;
  if (littleEndian(signature.subarray(32)) >= L) return false;
  try {
    const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
    return (await crypto.subtle.verify("Ed25519", key, signature, message)) === true;
  } catch (error) {
    if (error?.name === "DataError") return false; // no point of the curve
    throw error;
  }
}

/** Why this browser cannot check signatures, or null when it can: test 1 of RFC 8032, 7.1. */
export async function inability() {
  if (!globalThis.crypto?.subtle) {
    return {
      en: "The browser keeps its cryptography from pages that were not opened over HTTPS, from this computer or from a file. Save this page and open the saved file.",
      zh: "浏览器只向通过 HTTPS、本机地址或本地文件打开的页面提供密码功能。请保存本页，再打开保存的文件。",
    };
  }
  const key = fromHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  const good = fromHex("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
    + "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
  const empty = new Uint8Array();
  try {
    const accepts = await verifySignature(key, empty, good);
    const refuses = !(await verifySignature(key, Uint8Array.of(0), good));
    if (accepts && refuses) return null;
  } catch {
    // falls through: the algorithm is not known
  }
  return {
    en: "This browser cannot check Ed25519 signatures. Use Chrome or Edge 137, Firefox 129, Safari 17 or a later one.",
    zh: "此浏览器无法验证 Ed25519 签名。请使用 Chrome 或 Edge 137、Firefox 129、Safari 17 或更高版本。",
  };
}

/** A public key as did:key. */
export function didOf(publicKey) {
  const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  let digits = "";
  for (let rest = BigInt(`0xed01${toHex(publicKey)}`); rest; rest /= 58n) {
    digits = alphabet[Number(rest % 58n)] + digits;
  }
  return `did:key:z${digits}`;
}

// ---- the tree and its receipt: RFC 9162, 2.1.3.2, and RFC 9942 -----------------------------------

/** The root to which `path` leads from a leaf's hash, or null when it cannot lead to one. */
export async function inclusionRoot(leafHash, index, size, path) {
  if (index < 0n || index >= size || size > MAX_SIZE) return null;
  let node = leafHash;
  let last = size - 1n;
  for (const sibling of path) {
    if (last === 0n) return null;
    if (index & 1n || index === last) {
      node = await sha256([1], sibling, node);
      while (!(index & 1n) && index) {
        index >>= 1n;
        last >>= 1n;
      }
    } else {
      node = await sha256([1], node, sibling);
    }
    index >>= 1n;
    last >>= 1n;
  }
  return last === 0n ? node : null;
}

const isInt = (value) => typeof value === "number" || typeof value === "bigint";
const isBytes = (value, size) => value instanceof Uint8Array && value.length === size;

/** Take a receipt apart; its signature is not looked at. */
export function parseReceipt(raw) {
  const say = ["The receipt is not in the form of RFC 9942 that ledgers issue.",
    "回执不是账本按 RFC 9942 签发的格式。"];
  const framed =
    raw.length > 120 && raw.length <= 4096 && hasHexAt(raw, 0, "d284582aa301")
    && (raw[6] === 0x32 || raw[6] === 0x27) && hasHexAt(raw, 7, "045820")
    && hasHexAt(raw, 42, "19018b01a119018ca12081") && hasHexAt(raw, raw.length - 67, "f65840");
  need(framed, ...say);
  const proof = decodeCbor(raw.subarray(53, -67));
  need(proof instanceof Uint8Array, ...say);
  const parts = decodeCbor(proof);
  need(Array.isArray(parts) && parts.length === 3 && isInt(parts[0]) && isInt(parts[1]), ...say);
  const [size, index, path] = [BigInt(parts[0]), BigInt(parts[1]), parts[2]];
  need(Array.isArray(path) && path.length && path.every((hash) => isBytes(hash, 32)), ...say);
  need(size >= 2n && size <= MAX_SIZE && index >= 0n && index < size, ...say);
  return {
    protected: raw.subarray(4, 46), kid: raw.subarray(10, 42), size, index, path,
    signature: raw.subarray(-64),
  };
}

// ---- the checkpoint: C2SP signed-note and tlog-checkpoint ----------------------------------------

const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;
const NOT_IN_NAME = /[+ \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** Take a signed note apart that has one signature, as checkpoints in proof files do. */
export function parseNote(text) {
  const blank = text.lastIndexOf("\n\n");
  const [, name, encoded] = text.slice(blank + 2).match(/^— ([^ \n]+) (.*)\n$/) ?? [];
  const data = encoded === undefined ? null : strictBase64(encoded);
  const good =
    blank >= 0 && !CONTROL.test(text) && data !== null && data.length > 4 && !NOT_IN_NAME.test(name);
  need(good, "The checkpoint is not a note with one signature, in its one form.",
    "检查点不是规范格式的单签名文书。");
  return {
    body: text.slice(0, blank + 1), name, keyId: data.subarray(0, 4), signature: data.subarray(4),
  };
}

/** The size and root of a checkpoint that `publicKey` signed under `name`. */
async function openCheckpoint(text, name, publicKey) {
  const note = parseNote(text);
  const keyId = (await sha256(encodeText(name), [0x0a, 0x01], publicKey)).subarray(0, 4);
  need(note.name === name && equal(note.keyId, keyId),
    "The checkpoint is not signed by this ledger's log.", "检查点没有本账本日志的签名。");
  need(await verifySignature(publicKey, encodeText(note.body), note.signature),
    "The log's signature on the checkpoint does not hold.", "检查点上的日志签名无效。");
  const [origin, size, rootText, ...more] = note.body.slice(0, -1).split("\n");
  const root = rootText === undefined ? null : strictBase64(rootText);
  const good =
    [origin, ...more].every((line) => line !== "") && root?.length === 32
    && /^(0|[1-9][0-9]{0,18})$/.test(size) && BigInt(size) <= MAX_SIZE;
  need(good, "The checkpoint does not state an origin, a size and a root in their one form.",
    "检查点未按规范格式载明来源、规模和根哈希。");
  need(origin === name, `The checkpoint is one of the log “${origin}”, not of “${name}”.`,
    `检查点属于日志“${origin}”，而不是“${name}”。`);
  return { size: BigInt(size), root };
}

// ---- the steps ----------------------------------------------------------------------------------

const MEMBERS = ["checkpoint", "format", "genesis", "height", "receipt", "time_ms", "transaction"];
const isText = (value, least, most) =>
  typeof value === "string" && [...value].length >= least && [...value].length <= most;
const isMoment = (value) => Number.isInteger(value) && value >= 0 && value <= 2 ** 53;

function parseJson(data) {
  try {
    return JSON.parse(decodeText(data));
  } catch {
    return null;
  }
}

async function checkForm(data, known) {
  const say = ["The file is not a proof in its one exact form.", "该文件不是规范格式的证明文件。"];
  need(data.length <= MAX_PROOF_BYTES, ...say);
  const proof = parseJson(data);
  need(proof !== null && typeof proof === "object", ...say);
  need(equal(encodeText(Object.keys(proof).join()), encodeText(MEMBERS.join())), ...say);
  need(equal(encodeText(`${JSON.stringify(proof)}\n`), data), ...say);
  need(proof.format === FORMAT && isMoment(proof.height) && isMoment(proof.time_ms), ...say);
  need(isText(proof.checkpoint, 0, 4096) && !/\p{Cs}/u.test(proof.checkpoint), ...say);
  parseNote(proof.checkpoint);
  known.proof = proof;
  for (const member of ["genesis", "receipt", "transaction"]) {
    need(typeof proof[member] === "string", ...say);
    known[member] = strictBase64(proof[member]);
    need(known[member] !== null, ...say);
  }
  return [`The file is a proof in its one exact form (${data.length} bytes).`,
    `文件是规范格式的证明（${data.length} 字节）。`];
}

function isFounder(founder) {
  if (!Array.isArray(founder) || founder.length !== 5) return false;
  const [id, name, uscc, key, roles] = founder;
  return [id, name, uscc].every((text) => isText(text, 0, 200)) && isBytes(key, 32)
    && Array.isArray(roles) && roles.length <= 64 && roles.every((role) => isText(role, 0, 200));
}

async function checkLedger(_data, known, found, expected) {
  const envelope = parseEnvelope(known.genesis);
  const fields = decodeCbor(envelope.payload);
  const [type, version, nonce, name, zone, profile, logKey, founders, registrar] =
    Array.isArray(fields) && fields.length === 9 ? fields : [];
  const good =
    type === "ledger.genesis" && version === 1 && isBytes(nonce, 16)
    && isText(name, 1, 200) && isText(zone, 0, 64) && isText(profile, 0, 200)
    && isBytes(logKey, 32) && Array.isArray(founders) && founders.length >= 1
    && founders.length <= 128 && founders.every(isFounder) && isText(registrar, 0, 200);
  need(good, "The first transaction of the proof does not open a ledger.",
    "证明中的首个交易不是创世交易。");
  need(await verifyEnvelope(envelope, encodeText("wattproof genesis v1")),
    "The genesis transaction is not signed by its registrar.", "创世交易未由其登记机构签名。");
  need(profile === PROFILE, `This page does not know the verification profile ${profile}.`,
    `本页面不支持验证规则集 ${profile}。`);
  Object.assign(known, { logKey, ledgerId: await sha256(known.genesis) });
  found.ledger_id = toHex(known.ledgerId);
  Object.assign(found, { ledger_name: name, zone });
  need(expected === null || expected === found.ledger_id,
    `The proof is one of the ledger ${found.ledger_id}, not of ${expected}.`,
    `该证明属于账本 ${found.ledger_id}，而不是 ${expected}。`);
  return [
    `Genesis opens the ledger “${name}”, id ${found.ledger_id}; its log key is ${didOf(logKey)}.`,
    `创世交易建立账本“${name}”，编号 ${found.ledger_id}；日志公钥为 ${didOf(logKey)}。`,
  ];
}

async function checkSignature(_data, known, found) {
  const envelope = parseEnvelope(known.transaction);
  const fields = decodeCbor(envelope.payload);
  const isGenesis = equal(known.transaction, known.genesis);
  need(isGenesis || (await verifyEnvelope(envelope, known.ledgerId)),
    "The transaction's signature does not hold for this ledger.", "该交易的签名对本账本无效。");
  found.transaction_id = toHex(await sha256(known.transaction));
  found.type = Array.isArray(fields) && typeof fields[0] === "string" ? fields[0] : "";
  found.signer = didOf(envelope.kid);
  found.payload = fields;
  return [`A transaction “${found.type}”, signed by ${found.signer} for this ledger.`,
    `交易“${found.type}”由 ${found.signer} 为本账本签名。`];
}

async function checkInclusion(_data, known, found) {
  const { height, time_ms: timeMs } = known.proof;
  const leaf = join([0x83], uintHead(0, height), uintHead(0, timeMs), byteString(known.transaction));
  const receipt = parseReceipt(known.receipt);
  const root = await inclusionRoot(await sha256([0], leaf), receipt.index, receipt.size, receipt.path);
  const vouched = root !== null && equal(receipt.kid, known.logKey) && (await verifySignature(
    known.logKey, signedBytes(receipt.protected, new Uint8Array(), root), receipt.signature));
  need(vouched, "The path does not lead from the transaction to the root that the log signed.",
    "路径无法由该交易推出日志签署的根哈希。");
  Object.assign(known, { root, size: receipt.size });
  const [index, size] = [smallest(receipt.index), smallest(receipt.size)];
  Object.assign(found, { index, size, time_ms: timeMs });
  const [count, hash] = [receipt.path.length, toHex(root)];
  return [
    `It is entry ${index} of ${size}: ${count} hashes lead to the root ${hash}, which the log key signed.`,
    `它是 ${size} 条中的第 ${index} 条：经 ${count} 个哈希得到根 ${hash}，该根由日志密钥签署。`,
  ];
}

async function checkCheckpoint(_data, known, found) {
  const origin = `wattproof/${found.ledger_id}`;
  const checkpoint = await openCheckpoint(known.proof.checkpoint, origin, known.logKey);
  need(checkpoint.size === known.size && equal(checkpoint.root, known.root),
    "The checkpoint is of another tree than the receipt.", "检查点与回执所指的不是同一棵树。");
  return [`The signed checkpoint of ${checkpoint.size} entries has the same root.`,
    `已签名的检查点（${checkpoint.size} 条）具有相同的根。`];
}

const CHECKS = [
  ["form", checkForm],
  ["ledger", checkLedger],
  ["signature", checkSignature],
  ["inclusion", checkInclusion],
  ["checkpoint", checkCheckpoint],
];

/**
 * Check a proof file (its bytes) by itself; with `ledgerId` (hex) only one of that ledger will do.
 *
 * Gives every step up to the first that failed, and what was found. Never ok unless every step
 * was carried out and held; `unable` says why when this browser cannot check anything.
 */
export async function verifyProof(data, { ledgerId = null } = {}) {
  const steps = [];
  const found = {};
  const unable = await inability();
  if (unable !== null) return { ok: false, unable, steps };
  const known = {};
  for (const [name, check] of CHECKS) {
    try {
      const [en, zh] = await check(data, known, found, ledgerId);
      steps.push({ name, ok: true, en, zh });
    } catch (error) {
      const { en, zh } = error instanceof Refusal ? error
        : new Refusal(`This could not be checked: ${error}`, `无法完成检查：${error}`);
      steps.push({ name, ok: false, en, zh });
      return { ok: false, steps, ...found };
    }
  }
  return { ok: steps.length === CHECKS.length, steps, ...found };
}
