#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""TLS of a running node: the echo service against OpenSSL's programs, curl and Python's ssl, over veth: versions, SNI, mutual
authentication, ALPN, resumption, garbage, certificates that change under load."""
import os
import re
import select
import shutil
import socket
import ssl
import sys
import threading
import time

import config
import lab

ADDRESS, PORT, MUTUAL = "10.88.0.1", 7443, 7444


class Place:
    def __init__(self, node, client, certs):
        self.node, self.client, self.certs = node, client, certs

    def file(self, name):
        return os.path.join(self.certs, name)

    def context(self, trust="root.pem", own=None, alpn=None, version=None):
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        c.load_verify_locations(self.file(trust))
        if own:
            c.load_cert_chain(self.file(own + ".pem"), self.file(own + ".key"))
        if alpn:
            c.set_alpn_protocols(alpn)
        if version:
            c.minimum_version = c.maximum_version = version
        return c

    def raw(self, port=PORT):
        s = self.client.socket(socket.AF_INET, socket.SOCK_STREAM)
        s.settimeout(60)
        s.connect((ADDRESS, port))
        return s

    def connect(self, name="example.com", port=PORT, session=None, context=None, **kw):
        return (context or self.context(**kw)).wrap_socket(self.raw(port), server_hostname=name, session=session)

    def s_client(self, *args, text="Q\n", check=True):
        return self.client.run(["openssl", "s_client", "-connect", f"{ADDRESS}:{PORT}", "-CAfile", self.file("root.pem"), *args],
                               check=check, input=text).stdout

    def counter(self, name):
        return self.node.counters().get(name, 0)


def start(l):
    certs = os.path.join(l.dir, "certs")
    lab.sh(f"bash {os.path.join(lab.TOP, 'tests', 'certs.sh')} {certs}")
    shutil.copy(os.path.join(certs, "server.pem"), os.path.join(certs, "now.pem"))
    shutil.copy(os.path.join(certs, "server.key"), os.path.join(certs, "now.key"))
    at = lambda name: f'"{os.path.join(certs, name)}"'
    tls = (f'tls = {{ certificates = ( {{ chain = {at("now.pem")}; key = {at("now.key")}; }},\n'
           f'    {{ chain = {at("wild.pem")}; key = {at("wild.key")}; }} ); trust = {at("root.pem")}; handshake_timeout = 3000; }};')
    one = dict(address=ADDRESS, protocol="tls", service="echo")
    client = l.host("client", "10.88.0.2/24")
    node = l.node("gw", config.text(access=["10.88.0.0/24"], device="net_af_packet0,iface=hg0", dataplane=tls,
                                    listeners=[dict(address=ADDRESS), dict(one, port=PORT),
                                               dict(one, port=MUTUAL, client_auth="require", alpn="sip,http/1.1")]))
    node.start_both()
    return Place(node, client, certs)


def receive(s, n):
    got = bytearray()
    while len(got) < n:
        part = s.recv(min(1 << 16, n - len(got)))
        assert part, f"closed after {len(got)} of {n} bytes"
        got += part
    return bytes(got)


def echo(s, text=b"hello"):
    s.sendall(text)
    assert receive(s, len(text)) == text


def what_is_sent_comes_back(place):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with place.connect(version=version) as s:
            for text in (b"hello", b"x", bytes(range(256)) * 200):
                echo(s, text)


def bulk_both_ways(place, size=4 << 20):
    """In one thread: an SSL object is for one at a time."""
    data = os.urandom(1 << 16)
    with place.connect() as s:
        s.setblocking(False)
        sent = got = 0
        end = time.monotonic() + 120
        while got < size:
            assert time.monotonic() < end, (sent, got)
            select.select([s], [s] if sent < size else [], [], 1)
            try:
                if sent < size:
                    sent += s.send(data[sent % len(data):])
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass
            try:
                while part := s.recv(1 << 16):
                    assert (data * 2)[got % len(data):][:len(part)] == part, got
                    got += len(part)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                continue
            raise AssertionError(f"closed after {got} of {size} bytes")


def a_reader_that_is_late_holds_the_sender(place):
    """What nobody reads closes the windows, here and there, and goes on when it is read."""
    with place.connect() as s:
        s.setblocking(False)
        sent, end, quiet = 0, time.monotonic() + 60, time.monotonic()
        while time.monotonic() - quiet < 3:
            assert time.monotonic() < end and sent < 1 << 28
            try:
                sent += s.send(bytes(1 << 14))
                quiet = time.monotonic()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                time.sleep(0.05)
        got, left = 0, None
        while left is None or got < sent + left:  # what OpenSSL had begun to send goes on, whole
            assert time.monotonic() < end + 60, (sent, got)
            select.select([s], [], [], 0.1)
            try:
                left = s.send(bytes(1 << 14)) if left is None else left
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass
            try:
                while part := s.recv(1 << 16):
                    got += len(part)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                continue
        s.settimeout(60)
        echo(s, b"still")


def the_certificate_that_is_asked_for(place):
    for name, common in (("example.com", "server.example.com"), ("a.example.net", "wild.example.net"), (None, "server.example.com")):
        text = place.s_client(*(("-servername", name) if name else ("-noservername",)))
        assert re.search(r"subject=CN ?= ?" + re.escape(common), text), (name, text)
        assert "Verify return code: 0 (ok)" in text, text


def curl_gets_its_page(place):
    got = place.client.run(["curl", "-gsS", "-m", "60", "--cacert", place.file("root.pem"), "--resolve", f"example.com:{PORT}:{ADDRESS}",
                            f"https://example.com:{PORT}/"]).stdout
    assert got == "heliograph\n", got


def both_show_a_certificate(place):
    before = place.counter("tls_bad_certificate")
    with place.connect(port=MUTUAL, own="client") as s:
        echo(s)
    for own in (None, "stranger"):
        try:
            with place.connect(port=MUTUAL, own=own) as s:
                echo(s)
            raise AssertionError(f"{own} was let in")
        except (ssl.SSLError, ConnectionError, AssertionError) as e:
            assert "let in" not in str(e), e
    lab.wait_for(lambda: place.counter("tls_bad_certificate") == before + 2, 60, "both refusals are counted")


def an_application_protocol_in_common(place):
    with place.connect(port=MUTUAL, own="client", alpn=["http/1.1", "sip"]) as s:
        assert s.selected_alpn_protocol() == "sip"
        echo(s)
    before = place.counter("tls_no_alpn")
    try:
        place.connect(port=MUTUAL, own="client", alpn=["xmpp-client"]).close()
        raise AssertionError("another protocol was let in")
    except (ssl.SSLError, ConnectionError):
        pass
    lab.wait_for(lambda: place.counter("tls_no_alpn") == before + 1, 60, "it is counted")


def sessions_are_resumed(place):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context, before = place.context(version=version), place.counter("tls_resumed")
        with place.connect(context=context) as s:
            echo(s)
            session = s.session
        assert session and session.has_ticket
        with place.connect(context=context, session=session) as s:
            echo(s)
            assert s.session_reused
        lab.wait_for(lambda: place.counter("tls_resumed") == before + 1, 60, "it is counted")


def what_is_no_tls_ends(place):
    before = place.counter("tls_not_tls")
    for text in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(400) + bytes(100), b"\x16\x03\x01\xff\xff" + bytes(600), b"OPTIONS sip:a SIP/2.0\r\n\r\n"):
        with place.raw() as s:
            s.sendall(text)
            while True:
                try:
                    if not s.recv(1000):
                        break
                except ConnectionError:
                    break
    lab.wait_for(lambda: place.counter("tls_not_tls") + place.counter("tls_protocol") >= before + 4, 60, "all are counted")


def who_says_nothing_is_put_out(place):
    before = place.counter("tls_handshake_timeout")
    with place.raw() as silent, place.raw() as slow:
        slow.sendall(b"\x16\x03\x01\x02\x00\x01")
        assert silent.recv(100) == b""
        slow.recv(100)
    lab.wait_for(lambda: place.counter("tls_handshake_timeout") == before + 2, 60, "both are counted")


def old_versions_are_refused(place):
    before = place.counter("tls_no_version")
    text = place.s_client("-tls1_1", "-cipher", "ALL:@SECLEVEL=0", check=False)
    assert "Cipher is (NONE)" in text or "no protocols available" in text, text
    lab.wait_for(lambda: place.counter("tls_no_version") > before, 60, "it is counted")


def goes_on_while_others_shake_hands(place, n=200):
    """Established traffic beside a storm of handshakes."""
    stop, worst = threading.Event(), []

    def talk():
        with place.connect() as s:
            while not stop.is_set():
                at = time.monotonic()
                echo(s, b"x" * 250)
                worst.append(time.monotonic() - at)
    t = threading.Thread(target=talk)
    t.start()
    context = place.context()
    for _ in range(n):
        with place.connect(context=context) as s:
            echo(s)
    stop.set()
    t.join()
    assert len(worst) > n / 4, len(worst)


def replace(place, name):
    """As an administrator does it: beside it, and renamed."""
    for end in ("pem", "key"):
        shutil.copy(place.file(f"{name}.{end}"), place.file(f"new.{end}"))
        os.rename(place.file(f"new.{end}"), place.file(f"now.{end}"))


def subject(place):
    return re.search(r"subject=(.*)", place.s_client("-noservername")).group(1).replace(" ", "")


def certificates_change_and_sessions_go_on(place):
    assert subject(place) == "CN=server.example.com"
    with place.connect() as s:
        echo(s)
        replace(place, "wild")
        lab.wait_for(lambda: subject(place) == "CN=wild.example.net", 60, "the new certificate is in force")
        echo(s)
        with open(place.file("now.pem"), "w") as f:
            f.write("no certificate\n")
        log = os.path.join(place.node.lab.dir, "gw-dp.log")
        lab.wait_for(lambda: "stay in force" in open(log).read(), 60, "the bad file is refused")
        assert subject(place) == "CN=wild.example.net"
        echo(s)
        lab.wait_for(lambda: "tls_files" in place.node.hgctl("alarm", "list").stdout, 60, "the alarm stands")
        done = place.node.hgctl("tls", "reload", check=False)
        assert done.returncode and "now.pem" in done.stdout, done.stdout
        replace(place, "server")
        shown = place.node.hgctl_json("tls", "reload")
        assert "example.com" in shown["certificates"][0]["names"] and shown["certificates"][0]["days"] > 300, shown
        lab.wait_for(lambda: "tls_files" not in place.node.hgctl("alarm", "list").stdout, 60, "the alarm is over")
        lab.wait_for(lambda: subject(place) == "CN=server.example.com", 60, "the old one is back")
        echo(s)


def bad_files_are_refused_at_the_start(place):
    """With the file and what is wrong."""
    program = os.path.join(lab.BUILD, "dataplane", "hg-dataplane")
    bad = place.node.config_file + ".bad"
    with open(place.node.config_file) as f:
        text = f.read()
    for wrong, said in (("wild.key", "does not fit"), ("nowhere.key", "nowhere.key")):
        with open(bad, "w") as f:
            f.write(text.replace(place.file("now.key"), place.file(wrong)))
        done = place.node.run([program, "-c", bad, "--check"], check=False)
        assert done.returncode == 1 and said in done.stdout, done.stdout


def a_certificate_that_has_ended_is_told(place):
    assert "certificate_end" not in place.node.hgctl("alarm", "list").stdout
    replace(place, "expired")
    lab.wait_for(lambda: "certificate_ended" in place.node.hgctl("alarm", "list").stdout, 60, "the alarm stands")
    replace(place, "server")
    lab.wait_for(lambda: "certificate_end" not in place.node.hgctl("alarm", "list").stdout, 60, "the alarm is over")


def nothing_is_left(place):
    lab.wait_for(lambda: place.counter("tls_open") == 0 and place.counter("tcp_connections") == 0, 120, "all connections are gone")
    assert place.counter("tls_parked") == 0 and place.counter("tls_kept_bytes") == 0


CASES = [what_is_sent_comes_back, bulk_both_ways, a_reader_that_is_late_holds_the_sender, the_certificate_that_is_asked_for, curl_gets_its_page, both_show_a_certificate,
         an_application_protocol_in_common, sessions_are_resumed, what_is_no_tls_ends, who_says_nothing_is_put_out,
         old_versions_are_refused, goes_on_while_others_shake_hands, certificates_change_and_sessions_go_on,
         bad_files_are_refused_at_the_start, a_certificate_that_has_ended_is_told, nothing_is_left]

if __name__ == "__main__":
    laboratory = lab.Lab()
    try:
        code = lab.run_tests(CASES, (start(laboratory),))
    finally:
        laboratory.close()
    sys.exit(code)
