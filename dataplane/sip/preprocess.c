/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 3261 16.4: Route values that are ours, strict routers before us, maddr; then the keys of what will be
 * looked up, so that the tables are in cache when the burst gets there. */
#include "hg/word.h"
#include "sip/proxy.h"

static bool uri_is_us(const struct sip *s, const struct sip_uri *uri)
{
    return (uri->scheme == SIP_SCHEME_SIP || uri->scheme == SIP_SCHEME_SIPS) &&
           sip_is_us(s, uri->host_kind, &uri->ip, uri->port);
}

/* A Route value may name us by its maddr: it was meant for us all the same, and would only come back. */
static bool leads_to_us(const struct sip *s, const struct sip_uri *uri)
{
    struct slice maddr;
    struct hg_ip ip;
    if (uri_is_us(s, uri))
        return true;
    return uri->params.len && (uri->scheme == SIP_SCHEME_SIP || uri->scheme == SIP_SCHEME_SIPS) &&
           sip_param(uri->params, SLICE_LIT("maddr"), &maddr) && hg_ip_parse(maddr, &ip) &&
           sip_is_us(s, SIP_HOST_IP4, &ip, uri->port);
}

static bool has_lr(const struct sip_uri *uri)
{
    struct slice value;
    return uri->params.len && sip_param(uri->params, SLICE_LIT("lr"), &value);
}

/* A strict router before us put the Request-URI at the end of the Route and our Record-Route into its place.
 */
static bool take_last_route(struct sip *s, struct work *w)
{
    struct sip_cursor c;
    struct slice element;
    struct sip_addr addr;
    if (!uri_is_us(s, &w->c.ruri) || !has_lr(&w->c.ruri) || w->c.ruri.has_user)
        return true;
    sip_cursor_init(&c, w->m, SIP_H_ROUTE);
    while (sip_cursor_next(&c, &element) == SIP_DONE)
        w->route_last = element;
    if (sip_addr_decode(w->route_last, &addr) != SIP_DONE || addr.uri.whole.len > sizeof(w->ruri_buf))
        return false;
    w->ruri_is_last = true;
    memcpy(w->ruri_buf, addr.uri.whole.p, addr.uri.whole.len);
    w->new_ruri = slice_of(w->ruri_buf, addr.uri.whole.len);
    return sip_uri_decode(w->new_ruri, &w->uri) == SIP_DONE;
}

static bool walk_routes(struct sip *s, struct work *w)
{
    struct sip_cursor c;
    struct slice element;
    struct sip_addr addr;
    enum sip_result r;
    if (!take_last_route(s, w))
        return false;
    sip_cursor_init(&c, w->m, SIP_H_ROUTE);
    while ((r = sip_cursor_next(&c, &element)) == SIP_DONE) {
        if (w->ruri_is_last && element.p == w->route_last.p)
            break;
        if (w->route_element.len == 0) {
            if (sip_addr_decode(element, &addr) != SIP_DONE)
                return false;
            if (leads_to_us(s, &addr.uri)) {
                w->pops++;
                continue;
            }
            w->route_element = element;
            w->route = addr;
            w->strict = !has_lr(&addr.uri);
        }
        w->routes++;
    }
    return r != SIP_BAD;
}

/* maddr that names us is cut away, and with it a port and transport that only led here. */
static bool strip_maddr(struct sip *s, struct work *w)
{
    struct slice maddr, left = w->uri.params, own = w->uri.whole;
    struct text t = text_over(w->ruri_buf, sizeof(w->ruri_buf));
    char copy[sizeof(w->ruri_buf)];
    struct hg_ip ip;
    if (!sip_param(w->uri.params, SLICE_LIT("maddr"), &maddr) || !hg_ip_parse(maddr, &ip) ||
        !sip_is_us(s, SIP_HOST_IP4, &ip, w->uri.port))
        return true;
    t = text_over(copy, sizeof(copy));
    text_bytes(&t, own.p, (uint32_t)(w->uri.host.p + w->uri.host.len - own.p));
    if (w->uri.host_kind == SIP_HOST_IP6)
        text_lit(&t, "]");
    while (left.len) {
        const char *end = memchr(left.p, ';', left.len);
        uint32_t n = end ? (uint32_t)(end - left.p) : left.len;
        struct slice one = slice_of(left.p, n), name = one;
        const char *eq = memchr(one.p, '=', n);
        if (eq)
            name.len = (uint32_t)(eq - one.p);
        if (!slice_ieq(name, SLICE_LIT("maddr")) && !slice_ieq(name, SLICE_LIT("transport"))) {
            text_lit(&t, ";");
            text_slice(&t, one);
        }
        left = slice_of(left.p + n + (end ? 1 : 0), left.len - n - (end ? 1 : 0));
    }
    if (w->uri.headers.len) {
        text_lit(&t, "?");
        text_slice(&t, w->uri.headers);
    }
    if (t.over)
        return false;
    memcpy(w->ruri_buf, copy, text_done(&t).len);
    w->new_ruri = slice_of(w->ruri_buf, text_done(&t).len);
    return sip_uri_decode(w->new_ruri, &w->uri) == SIP_DONE;
}

/* RFC 3966: visual separators do not count. */
static struct slice tel_user(struct slice rest, char *buf, uint32_t size)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < rest.len && rest.p[i] != ';' && n < size; i++)
        if (!strchr("-.()", rest.p[i]))
            buf[n++] = rest.p[i];
    return slice_of(buf, n);
}

/* Not 0 if some byte of w is c. */
static inline uint64_t word_has(uint64_t w, char c)
{
    const uint64_t ones = 0x0101010101010101ull;
    uint64_t x = w ^ (uint8_t)c * ones;
    return (x - ones) & ~x & 0x80 * ones;
}

/* Most names have none and are a word or two long. */
static bool has_escape(struct slice s)
{
    uint64_t found = word_has(hg_tail64(s.p, s.len), '%');
    for (uint32_t i = 0; i + 8 <= s.len; i += 8)
        found |= word_has(hg_load64(s.p + i), '%');
    return found != 0;
}

struct slice preprocess_user(const struct sip_uri *uri, char *buf, uint32_t size)
{
    uint32_t n;
    if (uri->scheme == SIP_SCHEME_TEL)
        return tel_user(uri->rest, buf, size);
    if (!uri->plain_user && has_escape(uri->user) && sip_unescape(uri->user, buf, size, &n))
        return slice_of(buf, n);
    return uri->user;
}

bool preprocess_request(struct sip *s, struct work *w)
{
    w->uri = w->c.ruri;
    if (w->m->count[SIP_H_ROUTE] && !walk_routes(s, w)) {
        w->error = SIP_E_ROUTE;
        return false;
    }
    if (w->uri.params.len && !strip_maddr(s, w)) {
        w->error = SIP_E_RURI;
        return false;
    }
    w->user = preprocess_user(&w->uri, w->user_buf, sizeof(w->user_buf));
    w->host = w->uri.host;
    w->to_self = uri_is_us(s, &w->uri);
    /* a telephone number without a host is one of our users (16.5: the proxy's choice) */
    if (w->uri.scheme == SIP_SCHEME_TEL)
        w->host = slice_str(s->ctx->config->cluster_domain);
    w->own_domain =
        w->to_self || w->uri.scheme == SIP_SCHEME_TEL ||
        (w->uri.host_kind == SIP_HOST_NAME && w->host.len && route_is_local_domain(s->route, w->host));
    if (w->own_domain && w->user.len && w->route_element.len == 0) {
        batch_user_key(s, w);
        route_static_prefetch(s->route, w->user);
    }
    return true;
}
