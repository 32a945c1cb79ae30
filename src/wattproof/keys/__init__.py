"""Keys and what they sign: Ed25519, did:key, deterministic CBOR, COSE envelopes, the key store."""
