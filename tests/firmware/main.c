/* Builds packets with docs/firmware/packet.c, so that a test can compare them with the vectors.
 *
 * Standard input, a packet a line, numbers in decimal, byte strings in hexadecimal:
 *     public_key ledger_id signature sequence start_s interval_s is_register opening
 *     count reading... quality_count quality...
 * Standard output, a line each: payload, what is signed, and the transaction, in hexadecimal. */
#include "packet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t readings[WP_MAX_READINGS];
static uint8_t quality[WP_MAX_READINGS];
static uint8_t payload[WP_MAX_TRANSACTION], to_sign[WP_MAX_TRANSACTION], raw[WP_MAX_TRANSACTION];

static void read_hex(uint8_t *to, size_t count)
{
    size_t i;
    unsigned value;

    for (i = 0; i < count; i++) {
        if (scanf(" %2x", &value) != 1)
            exit(2);
        to[i] = (uint8_t)value;
    }
}

static uint64_t read_number(void)
{
    uint64_t value;

    if (scanf("%" SCNu64, &value) != 1)
        exit(2);
    return value;
}

static void print_hex(const uint8_t *bytes, size_t count, char after)
{
    size_t i;

    for (i = 0; i < count; i++)
        printf("%02x", bytes[i]);
    putchar(after);
}

/* Every buffer that is a byte too small must be refused, and must not be overrun. */
static void check_small(const wp_packet *packet, size_t bytes)
{
    size_t capacity;

    for (capacity = bytes > 64 ? bytes - 64 : 0; capacity < bytes; capacity++) {
        uint8_t *exact = malloc(capacity ? capacity : 1);
        if (wp_payload(exact, capacity, packet) != 0)
            exit(3);
        free(exact);
    }
}

int main(void)
{
    uint8_t public_key[32], ledger_id[32], signature[64];
    int next;

    while ((next = getchar()) != EOF) {
        wp_packet packet = {0};
        size_t i, bytes, flagged;

        ungetc(next, stdin);
        read_hex(public_key, 32);
        read_hex(ledger_id, 32);
        read_hex(signature, 64);
        packet.sequence = read_number();
        packet.start_s = read_number();
        packet.interval_s = (uint32_t)read_number();
        packet.is_register = (int)read_number();
        packet.opening = read_number();
        packet.count = (uint16_t)read_number();
        for (i = 0; i < packet.count; i++)
            readings[i] = read_number();
        flagged = (size_t)read_number();
        for (i = 0; i < flagged; i++)
            quality[i] = (uint8_t)read_number();
        packet.readings = readings;
        packet.quality = flagged ? quality : NULL;
        while ((next = getchar()) == '\n' || next == ' ')
            ;
        if (next != EOF)
            ungetc(next, stdin);

        bytes = wp_payload(payload, sizeof payload, &packet);
        check_small(&packet, bytes);
        print_hex(payload, bytes, ' ');
        print_hex(to_sign, wp_to_sign(to_sign, sizeof to_sign, public_key, ledger_id, payload, bytes), ' ');
        print_hex(raw, wp_transaction(raw, sizeof raw, public_key, payload, bytes, signature), '\n');
    }
    return 0;
}
