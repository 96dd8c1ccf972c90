#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""uas.py ADDRESS PORT [STATUS]: answers each request with STATUS (200) where its top Via says (RFC 3261 18.2.2)."""
import os
import re
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab
import sip

address, port = sys.argv[1], int(sys.argv[2])
status = int(sys.argv[3]) if len(sys.argv) > 3 else 200
s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.setsockopt(socket.SOL_SOCKET, lab.SO_RCVBUFFORCE, 4 << 20)
s.bind((address, port))
while True:
    raw, src = s.recvfrom(70000)
    m = sip.Message(raw)
    if m.method is None or m.method == "ACK" or not m.vias() or m.get("to") is None:
        continue
    try:
        s.sendto(sip.answer(m, status, contact=f"sip:uas@{sip.host_form(address)}:{port}"), src)
    except OSError:
        pass
