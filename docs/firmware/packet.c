/* SPDX-License-Identifier: Apache-2.0 */
#include "packet.h"

#include <string.h>

/* Major types of CBOR, as the upper three bits of a head (RFC 8949, 3.1). */
enum { UNSIGNED = 0x00, BYTES = 0x40, TEXT = 0x60, ARRAY = 0x80, TAG = 0xc0 };

/* Where bytes go; `full` once something did not fit. */
typedef struct {
    uint8_t *at, *end;
    int full;
} sink;

static void put(sink *to, const void *bytes, size_t count)
{
    if (to->full || (size_t)(to->end - to->at) < count) {
        to->full = 1;
        return;
    }
    if (count) /* memcpy must not be given NULL, even for nothing */
        memcpy(to->at, bytes, count);
    to->at += count;
}

/* A head in its shortest form, most significant byte first. */
static void put_head(sink *to, uint8_t major, uint64_t value)
{
    uint8_t head[9];
    unsigned width = value < 24 ? 0 : value < 0x100 ? 1 : value < 0x10000 ? 2
                   : value < 0x100000000u ? 4 : 8;
    static const uint8_t code[9] = {0, 24, 25, 0, 26, 0, 0, 0, 27};
    unsigned i;

    head[0] = (uint8_t)(major | (width ? code[width] : (uint8_t)value));
    for (i = 0; i < width; i++)
        head[1 + i] = (uint8_t)(value >> (8 * (width - 1 - i)));
    put(to, head, 1 + width);
}

static void put_bytes(sink *to, const uint8_t *bytes, size_t count)
{
    put_head(to, BYTES, count);
    put(to, bytes, count);
}

static void put_text(sink *to, const char *text)
{
    put_head(to, TEXT, strlen(text));
    put(to, text, strlen(text));
}

/* A typed array (RFC 8746) in the narrowest width that holds its largest element, each element
 * with its least significant byte first. */
static void put_readings(sink *to, const uint64_t *readings, size_t count)
{
    static const uint8_t tag[9] = {0, 64, 69, 0, 70, 0, 0, 0, 71};
    uint64_t largest = 0;
    unsigned width, byte;
    size_t i;

    for (i = 0; i < count; i++)
        if (readings[i] > largest)
            largest = readings[i];
    width = largest < 0x100 ? 1 : largest < 0x10000 ? 2 : largest < 0x100000000u ? 4 : 8;
    put_head(to, TAG, tag[width]);
    put_head(to, BYTES, count * width);
    for (i = 0; i < count; i++)
        for (byte = 0; byte < width; byte++) {
            uint8_t one = (uint8_t)(readings[i] >> (8 * byte));
            put(to, &one, 1);
        }
}

static size_t written(const sink *to, const uint8_t *out)
{
    return to->full ? 0 : (size_t)(to->at - out);
}

size_t wp_payload(uint8_t *out, size_t capacity, const wp_packet *packet)
{
    sink to = {out, out + capacity, 0};
    uint8_t nonce[16] = {0};
    int i;

    for (i = 0; i < 8; i++)
        nonce[15 - i] = (uint8_t)(packet->sequence >> (8 * i));
    put_head(&to, ARRAY, 10);
    put_text(&to, "metering.packet");
    put_head(&to, UNSIGNED, 1);
    put_bytes(&to, nonce, sizeof nonce);
    put_head(&to, UNSIGNED, packet->sequence);
    put_head(&to, UNSIGNED, packet->start_s);
    put_head(&to, UNSIGNED, packet->interval_s);
    put_text(&to, packet->is_register ? "register" : "increment");
    put_head(&to, UNSIGNED, packet->opening);
    put_readings(&to, packet->readings, packet->count);
    put_head(&to, TAG, 64);
    put_bytes(&to, packet->quality, packet->quality ? packet->count : 0);
    return written(&to, out);
}

/* {1: -19, 4: key}: algorithm Ed25519, and whose key. */
static void put_protected(sink *to, const uint8_t public_key[32])
{
    static const uint8_t head[8] = {0x58, 0x26, 0xa2, 0x01, 0x32, 0x04, 0x58, 0x20};

    put(to, head, sizeof head);
    put(to, public_key, 32);
}

size_t wp_to_sign(uint8_t *out, size_t capacity, const uint8_t public_key[32],
                  const uint8_t ledger_id[32], const uint8_t *payload, size_t payload_bytes)
{
    sink to = {out, out + capacity, 0};

    put_head(&to, ARRAY, 4);
    put_text(&to, "Signature1");
    put_protected(&to, public_key);
    put_bytes(&to, ledger_id, 32);
    put_bytes(&to, payload, payload_bytes);
    return written(&to, out);
}

size_t wp_transaction(uint8_t *out, size_t capacity, const uint8_t public_key[32],
                      const uint8_t *payload, size_t payload_bytes, const uint8_t signature[64])
{
    sink to = {out, out + capacity, 0};

    put_head(&to, TAG, 18);
    put_head(&to, ARRAY, 4);
    put_protected(&to, public_key);
    put_head(&to, 0xa0, 0); /* the unprotected header: an empty map */
    put_bytes(&to, payload, payload_bytes);
    put_bytes(&to, signature, 64);
    return written(&to, out);
}
