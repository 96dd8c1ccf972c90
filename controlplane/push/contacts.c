/* SPDX-License-Identifier: BSD-2-Clause */
/* Contacts of the record -> endpoints -> the cores of the two nodes that may serve the user. Names are
 * resolved here; a contact whose name has no address is left out until it has one. */
#include <stdlib.h>

#include "assign/contact.h"
#include "controlplane.h"
#include "dns/hosts.h"
#include "feed/feed.h"
#include "hg/contacts.h"
#include "node/nodes.h"
#include "push/push.h"

#define HOSTS_MS 100  /* between two looks at the names */
#define AGAIN_MS 1000 /* between two walks because of names */

struct push_contacts {
    struct hosts *hosts;
    bool changed;
    uint64_t hosts_at, again_at;
};

static void on_changed(void *arg)
{
    struct controlplane *cp = arg;

    cp->push_contacts->changed = true;
}

bool push_contacts_create(struct controlplane *cp)
{
    struct push_contacts *p = calloc(1, sizeof(*p));

    if (!p)
        return false;
    cp->push_contacts = p;
    p->hosts = hosts_create(cp->dns, on_changed, cp);
    return p->hosts != NULL;
}

void push_contacts_stop(struct controlplane *cp)
{
    if (!cp->push_contacts)
        return;
    hosts_close(cp->push_contacts->hosts);
    free(cp->push_contacts);
    cp->push_contacts = NULL;
}

/* Sorted by q, those of one q as they were written. */
static unsigned parse_all(struct slice list, struct contact out[HG_CONTACTS_MAX])
{
    struct slice one;
    unsigned n = 0;
    char why[8];

    while (n < HG_CONTACTS_MAX && contact_next(&list, &one)) {
        struct contact c;
        unsigned at = n;
        if (!contact_parse(one, &c, why, sizeof(why)))
            continue;
        for (; at > 0 && out[at - 1].q < c.q; at--)
            out[at] = out[at - 1];
        out[at] = c;
        n++;
    }
    return n;
}

static bool endpoint_of(struct controlplane *cp, const struct contact *c, struct hg_endpoint *ep)
{
    *ep = (struct hg_endpoint){.ip = c->ip, .port = c->port, .proto = c->proto};
    if (!ep->port)
        ep->port = c->proto == HG_TLS ? 5061 : 5060;
    return c->is_address || hosts_find(cp->push_contacts->hosts, c->host, &ep->ip) == HOST_FOUND;
}

void push_contacts(struct controlplane *cp, const struct hg_user_key *key, const struct user *user,
                   uint16_t node)
{
    struct contact contact[HG_CONTACTS_MAX];
    char bytes[HG_CONTACTS_BYTES];
    uint32_t length = 0;
    unsigned n = 0, all = user->contacts && nodes_serve_here(cp, node)
                              ? parse_all(slice_str(user->contacts), contact)
                              : 0;

    for (unsigned i = 0; i < all; i++) {
        struct hg_endpoint ep;
        if (!endpoint_of(cp, &contact[i], &ep))
            continue;
        uint32_t end = hg_contact_put(bytes, sizeof(bytes), length, &ep, contact[i].q, contact[i].uri);
        if (end) {
            length = end;
            n++;
        }
    }
    if (n)
        feed_contacts_set(cp->feed, key, bytes, length, n);
    else
        feed_contacts_remove(cp->feed, key);
}

void push_contacts_remove(struct controlplane *cp, const struct hg_user_key *key)
{
    feed_contacts_remove(cp->feed, key);
}

/* Names of nodes are asked for as well: rules look at them (B03, D04). */
static void node_names(struct controlplane *cp)
{
    struct hg_ip ip;

    for (uint16_t i = 1; i < HG_NODES_MAX; i++) {
        const struct topology_node *n = topology_node(&cp->topology, i);
        cp->resolves[i] = NAME_NOT_ASKED;
        if (!n || hg_ip_parse(slice_str(n->name), &ip))
            continue;
        enum host_state state = hosts_find(cp->push_contacts->hosts, slice_str(n->name), &ip);
        cp->resolves[i] = state == HOST_FOUND    ? NAME_RESOLVES
                          : state == HOST_FAILED ? NAME_FAILS
                                                 : NAME_NOT_ASKED;
    }
}

void push_contacts_turn(struct controlplane *cp, uint64_t now_ms)
{
    struct push_contacts *p = cp->push_contacts;

    if (now_ms >= p->hosts_at) {
        p->hosts_at = now_ms + HOSTS_MS;
        hosts_turn(p->hosts, now_ms);
        node_names(cp);
    }
    if (p->changed && now_ms >= p->again_at && !cp->push_users.walking) {
        p->changed = false;
        p->again_at = now_ms + AGAIN_MS;
        push_users_again(cp);
    }
}
