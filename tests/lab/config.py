# SPDX-License-Identifier: BSD-2-Clause
"""Writes a heliograph.cfg for a node of the laboratory."""
import os

# Probes are traffic of their own, and a callee that stalls would be marked down: a test that wants them says so. Without
# them failures in a row are forgotten once an interval; a short one, as 60 calls refused and 60 unanswered are no reason.
NO_PROBES = "enabled = false; interval = 100; down_after = 100;"
# A core whose CPU other programs take looks busy: a test that wants new requests shed for that says so.
NO_SHEDDING = "overload_high = 100;"


def _value(v):
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, int):
        return str(v)
    return '"' + str(v).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _group(fields):
    return "{ " + " ".join(f"{k} = {_value(v)};" for k, v in fields.items()) + " }"


def text(address="10.88.0.1/24", address6=None, access=(), neighbours=(), routes=(), templates=(), aliases=(),
         cores=None, device="net_af_xdp0,iface=hg0", dataplane="", cluster="", sip="", probe=NO_PROBES,
         node="", domain="example.com", listeners=None, users_max=100000, gateway=None):
    """routes are dictionaries; protocol is UDP unless they say otherwise. listeners: strings, or dictionaries."""
    addresses = [address] + ([address6] if address6 else [])
    hosts = [a.split("/")[0] for a in addresses]
    listeners = listeners or [f"[{h}]:5060" if ":" in h else f"{h}:5060" for h in hosts]
    cores = cores or str(max(os.sched_getaffinity(0)))
    strings = lambda values: "[ " + ", ".join(_value(v) for v in values) + " ]"
    groups = lambda rows: "( " + ",\n    ".join(_group(r) for r in rows) + " )"
    return f"""
node = {{ name = "@NAME@"; admin_socket = "@SOCKET@"; metrics = {{ port = 9464; }}; {node} }};
dataplane = {{
  cores = "{cores}"; memory = 256; users_max = {users_max}; routes_max = 8192; mbufs = 8192;
  ports = ( {{ device = {_value(device)};
    interfaces = ( {{ addresses = {strings(addresses)}; {f"gateway4 = {_value(gateway)};" if gateway else ""} }} ); }} );
  listeners = {groups(listeners) if isinstance(listeners[0], dict) else strings(listeners)};
  {dataplane}
}};
cluster = {{
  domain = {_value(domain)};
  domain_aliases = {strings(aliases or hosts)};
  access = {strings(access)};
  neighbours = {groups(neighbours) if neighbours else "( )"};
  sip = {{ {"" if "source_rate" in sip else "source_rate = 100000; source_burst = 100000;"}
    {"" if "overload_high" in sip else NO_SHEDDING} {sip} }};
  probe = {{ {probe} }};
  route_embed_templates = {strings(templates)};
  routes = {groups([dict(dict(protocol="UDP"), **r) for r in routes])};
  {cluster}
}};
"""
