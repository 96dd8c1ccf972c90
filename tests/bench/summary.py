# SPDX-License-Identifier: BSD-2-Clause
"""Reads 'figure NAME VALUE UNIT' lines, adds the ratios that need two programs, and prints the goals beside them."""
import re
import sys

figures = {}
with open(sys.argv[1], errors="replace") as f:
    for line in f:
        m = re.match(r"^figure (\S+) (\S+) ?(\S*)", line)
        if m:
            figures[m.group(1)] = (float(m.group(2)), m.group(3))

for name, peer, ours in (("ratio_kamailio_message", "kamailio_stateless_message_us", "sip_stateless_message_us"),
                         ("ratio_kamailio_invite", "kamailio_stateless_invite_us", "sip_stateless_invite_us"),
                         ("ratio_kamailio_stateful", "kamailio_stateful_us", "sip_stateful_us")):
    if peer in figures and ours in figures and figures[ours][0] > 0:
        figures[name] = (figures[peer][0] / figures[ours][0], "times")
        print(f"figure {name} {figures[name][0]:.2f} times")

SIP = (("sip_index_message_gbps", ">=", 5), ("sip_index_invite_gbps", ">=", 5), ("ratio_full_parse_sofia", ">=", 6),
         ("ratio_full_parse_osip", ">=", 12), ("sip_stateless_message_us", "<=", 0.44),
         ("sip_stateless_invite_us", "<=", 0.88), ("sip_stateful_us", "<=", 2.0), ("ratio_kamailio_message", ">=", 12),
         ("ratio_kamailio_invite", ">=", 7), ("ratio_kamailio_stateful", ">=", 9), ("ratio_kamailio_veth", ">=", 1.5),
         ("memif_msgs_per_s", ">=", 1300000), ("memif_lost", "<=", 0), ("route_load_million_s", "<=", 2),
         ("route_bytes_per_user", "<=", 64), ("churn_lost", "<=", 0), ("churn_misrouted", "<=", 0),
         ("two_core_scaling", ">=", 1.7))
FAILOVER = (("failover_fast_p100_ms", "<", 1000), ("failover_with_redis_ms", "<", 3000),
            ("failover_lost_unaffected", "<=", 0), ("control_plane_restart_lost", "<=", 0),
            ("failover_default_users_per_s", "about", 25), ("assign_million_s", "<", 10), ("rebalance_million_s", "<", 10),
            ("feed_records_per_s", ">=", 200000), ("node_start_s", "<", 5), ("double_owner_events", "<=", 0),
            ("lost_acknowledged", "<=", 0), ("unowned_after_healing", "<=", 0), ("wan_false_failovers", "<=", 0))
MET = {"<": lambda is_, goal: is_ < goal, "<=": lambda is_, goal: is_ <= goal, ">=": lambda is_, goal: is_ >= goal,
       "about": lambda is_, goal: abs(is_ - goal) <= goal * 0.05}
GOALS = FAILOVER if sys.argv[2:] == ["failover"] else SIP
print("\n== summary")
for name, sense, goal in GOALS:
    if name not in figures:
        print(f"  {name:28} not measured in this run")
        continue
    value, unit = figures[name]
    print(f"  {name:28} {value:12g} {unit:10} goal {sense} {goal:<8g} {'met' if MET[sense](value, goal) else 'NOT MET'}")
