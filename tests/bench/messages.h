/* SPDX-License-Identifier: BSD-2-Clause */
/* The two messages that every benchmark sends: the 489-byte MESSAGE and the 1,034-byte INVITE. Bytes 1 to 4
 * mark what varies: user (7 characters), Call-ID (16), branch (16), tag (8). */
#ifndef BENCH_MESSAGES_H
#define BENCH_MESSAGES_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BENCH_VIA "127.0.0.1:5080" /* replaced by the sender's address */

static const char bench_message[] =
    "MESSAGE sip:\1@example.net SIP/2.0\r\n"
    "Via: SIP/2.0/UDP " BENCH_VIA ";branch=z9hG4bK\3;rport\r\n"
    "Via: SIP/2.0/UDP 10.20.30.40:5060;branch=z9hG4bK776asdhds\r\n"
    "Max-Forwards: 70\r\n"
    "From: \"Alice\" <sip:alice@example.com>;tag=\4\r\n"
    "To: <sip:\1@example.net>\r\n"
    "Call-ID: \2@10.20.30.40\r\n"
    "CSeq: 1 MESSAGE\r\n"
    "User-Agent: ExamplePhone/2.1\r\n"
    "Content-Type: text/plain\r\n"
    "Content-Length: 84\r\n"
    "\r\n"
    "Hello there, this is a short instant message used as the payload of the load tests.\n";

static const char bench_invite[] =
    "INVITE sip:\1@example.net SIP/2.0\r\n"
    "Via: SIP/2.0/UDP " BENCH_VIA ";branch=z9hG4bK\3;rport\r\n"
    "Via: SIP/2.0/UDP client.example.com:5060;branch=z9hG4bK74bf9;received=192.0.2.101;rport=5060\r\n"
    "Max-Forwards: 69\r\n"
    "From: \"Alice Liddell\" <sip:alice@example.com;transport=udp>;tag=\4\r\n"
    "To: \"Bob\" <sip:\1@example.net>\r\n"
    "Call-ID: \2@client.example.com\r\n"
    "CSeq: 20 INVITE\r\n"
    "Contact: <sip:alice@client.example.com:5060;transport=udp>\r\n"
    "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, INFO, UPDATE\r\n"
    "Supported: replaces, timer, 100rel, path\r\n"
    "Session-Expires: 1800;refresher=uac\r\n"
    "Min-SE: 90\r\n"
    "P-Asserted-Identity: \"Alice Liddell\" <sip:+12025550123@example.com>\r\n"
    "User-Agent: ExamplePhone/2.1.3 (release; linux)\r\n"
    "Content-Type: application/sdp\r\n"
    "Content-Length: 235\r\n"
    "\r\n"
    "v=0\r\n"
    "o=alice 2890844526 2890844526 IN IP4 client.example.com\r\n"
    "s=-\r\n"
    "c=IN IP4 192.0.2.101\r\n"
    "t=0 0\r\n"
    "m=audio 49172 RTP/AVP 0 8 101\r\n"
    "a=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\n"
    "a=fmtp:101 0-15\r\n"
    "a=sendrecv\r\n";

#define BENCH_REGISTER                                                                                       \
    "REGISTER sip:example.net SIP/2.0\r\n"                                                                   \
    "Via: SIP/2.0/UDP " BENCH_VIA ";branch=z9hG4bK\3;rport\r\n"                                              \
    "Max-Forwards: 70\r\nFrom: <sip:\1@example.net>;tag=\4\r\nTo: <sip:\1@example.net>\r\n"                  \
    "Call-ID: \2@10.20.30.40\r\nCSeq: 1 REGISTER\r\nContact: <sip:\1@%s>\r\nExpires: 7200\r\n"               \
    "Content-Length: 0\r\n\r\n"

struct bench_vary {
    uint32_t user;    /* u000000 .. */
    uint64_t call_id; /* also the branch */
    uint32_t tag;
};

static inline char *bench_hex(char *out, uint64_t v, int digits)
{
    for (int i = digits - 1; i >= 0; i--, v >>= 4)
        out[i] = "0123456789abcdef"[v & 15];
    return out + digits;
}

/* Writes one message; via replaces BENCH_VIA (NULL: kept). out has room for 2048 bytes. Returns the length.
 */
static inline uint32_t bench_build(char *out, const char *template, const struct bench_vary *v,
                                   const char *via)
{
    const size_t via_len = sizeof(BENCH_VIA) - 1;
    char *o = out;
    for (const char *t = template; *t; t++) {
        if (*t == 1)
            o += snprintf(o, 9, "u%06u", v->user % 1000000u);
        else if (*t == 2)
            o = bench_hex(o, v->call_id, 16);
        else if (*t == 3)
            o = bench_hex(o, v->call_id * 0x9e3779b97f4a7c15ull, 16);
        else if (*t == 4)
            o = bench_hex(o, v->tag, 8);
        else if (via && *t == BENCH_VIA[0] && strncmp(t, BENCH_VIA, via_len) == 0) {
            o = stpcpy(o, via);
            t += via_len - 1;
        } else
            *o++ = *t;
    }
    return (uint32_t)(o - out);
}

#endif
