/* SPDX-License-Identifier: BSD-2-Clause */
#include "cluster_rig.h"

_Atomic uint64_t cluster_lease;

void cluster_open(unsigned cores, const char *extra)
{
    rig_open(cores, extra);
    assert_true(harness_node(rig.h, 1, US, true));
    assert_true(harness_pair(rig.h, 2, PEER));
    assert_true(harness_node(rig.h, 3, OTHER, false));
    assert_true(harness_user(rig.h, "ours@example.com", 1));
    assert_true(harness_user(rig.h, "peers@example.com", 2));
    assert_true(harness_user(rig.h, "others@example.com", 3));
    cluster_lease = UINT64_MAX;
    harness_lease(rig.h, &cluster_lease);
}

void cluster_phone(const char *user)
{
    static const struct harness_contact c = {PHONE, "sip:line1@10.0.0.40:5062;ob", 1000};
    assert_true(harness_contacts(rig.h, user, 1, &c));
}

const char *cluster_registration(const char *user, const char *id)
{
    static char out[2000];
    snprintf(out, sizeof(out),
             "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK%s\r\n"
             "Max-Forwards: 70\r\nFrom: <sip:%s@example.com>;tag=1\r\nTo: <sip:%s@example.com>\r\n"
             "Call-ID: %s\r\nCSeq: 1 REGISTER\r\nContact: <sip:x@10.0.0.2>\r\nContent-Length: 0\r\n\r\n",
             id, user, user, id);
    return out;
}
