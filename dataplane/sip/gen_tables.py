#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes sip_tables.h and sip_tables.c: the perfect hash of header names (from headers.def) and the character
classes of RFC 3261 section 25.   usage: gen_tables.py headers.def sip_tables.h sip_tables.c"""
import random
import re
import string
import sys

ALPHA = string.ascii_letters
DIGIT = string.digits
ALNUM = ALPHA + DIGIT
UNRESERVED = ALNUM + "-_.!~*'()"
TOKEN = ALNUM + "-.!%*_+`'~"
CLASSES = [  # order fixes the bit
    ("TOKEN", TOKEN),
    ("WORD", TOKEN + '()<>:\\"/[]?{}'),
    ("USER", UNRESERVED + "&=+$,;?/"),
    ("USER_BARE", UNRESERVED + "&=+$/"),
    ("PASSWORD", UNRESERVED + "&=+$,"),
    ("PARAM", UNRESERVED + "[]/:&+$"),
    ("HEADER", UNRESERVED + "[]/?:+$"),
    ("SCHEME", ALNUM + "+-."),
    ("ALNUM", ALNUM),
    ("ALPHA", ALPHA),
    ("DIGIT", DIGIT),
    ("HEX", string.hexdigits),
    ("WS", " \t\r\n"),
    ("IP", string.hexdigits + ":."),
    ("PHONE", string.hexdigits + "*#-.()"),
    ("HOST", ALNUM + "-."),
    ("OPAQUE", UNRESERVED + ";/?:@&=+$,[]"),
    ("OPAQUE_BARE", UNRESERVED + "/:@&=+$[]"),
]


def read_names(path):
    """[(name, id)] with compact forms; lower case."""
    out = []
    text = open(path, encoding="ascii").read()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    for m in re.finditer(r"SIP_HEADER\(\s*(\w+)\s*,\s*\"([^\"]+)\"\s*,\s*(?:'(\w)'|0)\s*\)", text):
        out.append((m.group(2).lower(), m.group(1)))
        if m.group(3):
            out.append((m.group(3).lower(), m.group(1)))
    names = [n for n, _ in out]
    if len(set(names)) != len(names):
        sys.exit("gen_tables.py: a header name stands twice in " + path)
    for n in names:
        # the comparison folds case by setting bit 5, which is exact for these bytes only
        if not re.fullmatch(r"[a-z-]{1,29}", n):
            sys.exit("gen_tables.py: name must be letters and '-', at most 29: " + n)
    return out


def key(name):
    return (int.from_bytes(name[:8].encode(), "little") + len(name)) & (2**64 - 1)


def perfect_hash(names):
    rnd = random.Random(3261)
    for bits in range(7, 13):
        if 2**bits < 2 * len(names):
            continue
        for _ in range(20000):
            k = rnd.getrandbits(64) | 1
            seen = {((key(n) * k) & (2**64 - 1)) >> (64 - bits) for n, _ in names}
            if len(seen) == len(names):
                return k, bits
    sys.exit("gen_tables.py: no perfect hash found; widen the search")


def low_nibbles(members, signed=False):
    """Bytes 0x20 to 0x7f of a class for a vector look-up: entry = low nibble, bit = high nibble."""
    bits = [sum(1 << h for h in range(2, 8) if chr(h * 16 + l) in members) for l in range(16)]
    return ", ".join("%d" % (b - 256 if signed and b > 127 else b) for b in bits)


def main():
    source, header, code = sys.argv[1:4]
    names = read_names(source)
    k, bits = perfect_hash(names)
    slots = {((key(n) * k) & (2**64 - 1)) >> (64 - bits): (n, i) for n, i in names}
    note = "/* SPDX-License-Identifier: BSD-2-Clause */\n/* Written by gen_tables.py. */\n"
    with open(header, "w", encoding="ascii") as f:
        f.write(note + "#ifndef SIP_TABLES_H\n#define SIP_TABLES_H\n#include <stdint.h>\n")
        f.write("#define SIP_NAME_BITS %d\n#define SIP_NAME_K 0x%016xull\n" % (bits, k))
        for b, (n, _) in enumerate(CLASSES):
            f.write("#define CH_%s 0x%06x\n" % (n, 1 << b))
        f.write("#define CH_CLASSES %d\n" % len(CLASSES))
        f.write("/* token bytes by low nibble: bit n stands for high nibble n */\n")
        f.write("#define SIP_TOKEN_LOW %s\n#endif\n" % low_nibbles(TOKEN, True))
    with open(code, "w", encoding="ascii") as f:
        f.write(note + '#include "sip/chars.h"\n#include "sip/names.h"\n#include "sip/msg.h"\n')
        f.write("const uint8_t sip_class_low[CH_CLASSES][16] = {\n")
        for _, members in CLASSES:
            f.write("{%s},\n" % low_nibbles(members))
        f.write("};\nconst uint32_t sip_chars[256] = {\n")
        for c in range(256):
            v = sum(1 << b for b, (_, s) in enumerate(CLASSES) if chr(c) in s)
            f.write("0x%06x,%s" % (v, "\n" if c % 12 == 11 else " "))
        f.write("};\nconst struct sip_name sip_names[1 << SIP_NAME_BITS] = {\n")
        for s in range(2**bits):
            if s in slots:
                n, i = slots[s]
                mask = "\\xff" * (len(n) + 1)
                f.write('[%d] = {.name = "%s:", .len = %d, .id = SIP_H_%s,\n .mask = "%s"},\n' % (s, n, len(n), i, mask))
            else:  # bit 5 is set in what is compared, so a zero never matches
                f.write('[%d] = {.mask = "\\xff"},\n' % s)
        f.write("};\n")


main()
