/* A meter's signed packet of readings, byte for byte: see docs/firmware.md.
 * C99, integers only, no allocation, no other file than packet.c.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WATTPROOF_PACKET_H
#define WATTPROOF_PACKET_H

#include <stddef.h>
#include <stdint.h>

#define WP_MAX_READINGS 4096
#define WP_MAX_TRANSACTION 61440

typedef struct {
    uint64_t sequence;         /* 1, 2, 3 ... */
    uint64_t start_s;          /* Unix seconds UTC: where the first reading's interval begins */
    uint32_t interval_s;       /* length of each interval */
    int is_register;           /* 0: "increment", 1: "register" */
    uint64_t opening;          /* the register at start_s, in base units */
    const uint64_t *readings;  /* what each interval added, in base units */
    uint16_t count;
    const uint8_t *quality;    /* one code a reading; NULL when all are measured */
} wp_packet;

/* All three give the number of bytes written, or 0 when `capacity` is too small. */

/* The payload. The nonce is the sequence number, so the same packet always gives the same bytes. */
size_t wp_payload(uint8_t *out, size_t capacity, const wp_packet *packet);

/* What the meter's key signs: the Sig_structure of RFC 9052, 4.4. */
size_t wp_to_sign(uint8_t *out, size_t capacity, const uint8_t public_key[32],
                  const uint8_t ledger_id[32], const uint8_t *payload, size_t payload_bytes);

/* The transaction that is sent. */
size_t wp_transaction(uint8_t *out, size_t capacity, const uint8_t public_key[32],
                      const uint8_t *payload, size_t payload_bytes, const uint8_t signature[64]);

#endif
