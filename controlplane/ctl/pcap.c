/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/pcap.h"

#include <arpa/inet.h>
#include <string.h>

#define LINKTYPE_RAW 101 /* IP without a link layer */
#define SNAPLEN      262144

struct file_header {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t zone, accuracy, snaplen, network;
};

struct packet_header {
    uint32_t seconds, microseconds, captured, length;
};

static uint32_t add16(uint32_t sum, const void *data, size_t len)
{
    const uint8_t *p = data;
    for (; len > 1; len -= 2, p += 2)
        sum += (uint32_t)(p[0] << 8 | p[1]);
    return sum + (len ? (uint32_t)(p[0] << 8) : 0);
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* Returns the length of the headers. whole: the message is all there, so that its checksum can be told. */
static uint32_t make_headers(uint8_t *h, const struct hg_endpoint *src, const struct hg_endpoint *dst,
                             const void *data, uint32_t full, bool whole)
{
    bool v4 = hg_ip_is4(&src->ip) && hg_ip_is4(&dst->ip);
    uint32_t ip_len = v4 ? 20 : 40, udp_len = 8 + full;
    uint8_t *udp = h + ip_len;
    memset(h, 0, ip_len + 8);
    if (v4) {
        h[0] = 0x45;
        put16(h + 2, ip_len + udp_len);
        h[8] = 64;
        h[9] = 17;
        memcpy(h + 12, src->ip.b + 12, 4);
        memcpy(h + 16, dst->ip.b + 12, 4);
        put16(h + 10, fold(add16(0, h, 20)));
    } else {
        h[0] = 0x60;
        put16(h + 4, udp_len);
        h[6] = 17;
        h[7] = 64;
        memcpy(h + 8, src->ip.b, 16);
        memcpy(h + 24, dst->ip.b, 16);
    }
    put16(udp, src->port);
    put16(udp + 2, dst->port);
    put16(udp + 4, udp_len);
    if (whole) {
        uint32_t sum = v4 ? add16(0, h + 12, 8) : add16(0, h + 8, 32);
        sum = add16(sum + 17 + udp_len, udp, 8);
        uint16_t check = fold(add16(sum, data, full));
        put16(udp + 6, check ? check : 0xffff);
    }
    return ip_len + 8;
}

bool pcap_begin(FILE *out)
{
    const struct file_header header = {0xa1b2c3d4, 2, 4, 0, 0, SNAPLEN, LINKTYPE_RAW};
    return fwrite(&header, sizeof(header), 1, out) == 1;
}

bool pcap_message(FILE *out, double time_ms, const struct hg_endpoint *src, const struct hg_endpoint *dst,
                  const void *data, uint32_t len, uint32_t full)
{
    uint8_t headers[48];
    bool v4 = hg_ip_is4(&src->ip) && hg_ip_is4(&dst->ip);
    uint32_t most = 65535 - (v4 ? 28u : 8u); /* what fits an IP packet */
    if (full > most)
        full = most;
    if (len > full)
        len = full;
    uint32_t n = make_headers(headers, src, dst, data, full, len == full);
    uint64_t us = time_ms > 0 ? (uint64_t)(time_ms * 1000) : 0;
    const struct packet_header packet = {(uint32_t)(us / 1000000), (uint32_t)(us % 1000000), n + len,
                                         n + full};
    return fwrite(&packet, sizeof(packet), 1, out) == 1 && fwrite(headers, n, 1, out) == 1 &&
           (len == 0 || fwrite(data, len, 1, out) == 1);
}
