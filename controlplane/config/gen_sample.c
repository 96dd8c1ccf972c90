/* SPDX-License-Identifier: BSD-2-Clause */
/* deploy/heliograph.cfg: every item with its default, commented; the lists of a node that runs. */
#include <string.h>

#include "config/docgen.h"

#define WIDTH 118

/* What the sample sets. The rest stands there as a comment. */
static const char *const lists[CONFIG_LISTS_N] = {
    [CONFIG_PORTS] =
        "ports = (\n"
        "  { device = \"net_af_packet0,iface=hg0\"; // a software port; a NIC by its PCI address: "
        "\"0000:03:00.0\"\n"
        "    interfaces = (\n"
        "      { addresses = [ \"192.0.2.2/24\", \"2001:db8::2/64\" ]; gateway4 = \"192.0.2.1\"; }\n"
        "      // , { vlan = 100; addresses = [ \"198.51.100.2/24\" ]; }\n"
        "    ); }\n"
        ");\n",
    [CONFIG_STATICS] = "// routes = ( { network = \"203.0.113.0/24\"; gateway = \"192.0.2.254\"; } );\n",
    [CONFIG_LISTENERS] = "listeners = [ \"192.0.2.2:5060\", \"[2001:db8::2]:5060\" ];\n",
    [CONFIG_ACCESS] = "access = [ \"192.0.2.0/24\", \"2001:db8::/64\" ];\n",
    [CONFIG_NEIGHBOURS] =
        "// neighbours = ( \"gw.example.com\", { host = \"198.51.100.7\"; rate = 5000; burst = 10000; } );\n",
    [CONFIG_NODES] = "// nodes = ( { name = \"node2\"; sip = \"192.0.2.3:5060\"; } );\n",
    [CONFIG_ROUTES] = "routes = (\n"
                      "  { name = \"gw1\"; pattern = \"1919*\"; next_hop = \"192.0.2.11\"; protocol = "
                      "\"udp\"; weight = 20; },\n"
                      "  { name = \"gw2\"; pattern = \"1919*\"; next_hop = \"192.0.2.12\"; protocol = "
                      "\"udp\"; weight = 10; }\n"
                      ");\n",
    [CONFIG_TEMPLATES] = "// route_embed_templates = [ \"74..78xxxxx*\" ];\n",
    [CONFIG_ALIASES] = "domain_aliases = [ \"192.0.2.2\" ];\n",
    [CONFIG_SENTINELS] =
        "// sentinels = [ \"192.0.2.201:26379\", \"192.0.2.202:26379\", \"192.0.2.203:26379\" ];\n",
    [CONFIG_CERTIFICATES] = ("// certificates = ( { chain = \"/etc/heliograph/chain.pem\"; key = "
                             "\"/etc/heliograph/key.pem\"; } );\n"),
};

static void indent(FILE *out, int depth)
{
    fprintf(out, "%*s", depth * 2, "");
}

/* A comment, broken between words. */
static void comment(FILE *out, int depth, const char *text)
{
    while (*text) {
        size_t room = (size_t)(WIDTH - depth * 2 - 3), n = strlen(text);
        if (n > room) {
            n = room;
            while (n > 0 && text[n] != ' ')
                n--;
        }
        indent(out, depth);
        fprintf(out, "// %.*s\n", (int)n, text);
        text += n;
        while (*text == ' ')
            text++;
    }
}

static void lines(FILE *out, int depth, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        indent(out, depth);
        fprintf(out, "%.*s\n", (int)n, text);
        text += n + (text[n] == '\n');
    }
}

static void item(FILE *out, int depth, const struct config_field *field)
{
    char def[CONFIG_TEXT_MAX], text[CONFIG_TEXT_MAX + 400], type[300];
    bool quoted = field->kind == CONFIG_TEXT || field->kind == CONFIG_ENUM;
    enum config_form form = config_rule(field).form;
    if (field->kind == CONFIG_TEXT)
        snprintf(type, sizeof(type), "%s",
                 form == FORM_ANY || form == FORM_CPUS ? "" : config_form_text(form));
    else
        docgen_type(field, type, sizeof(type));
    if (type[0] >= 'a' && type[0] <= 'z')
        type[0] = (char)(type[0] - 32);
    snprintf(text, sizeof(text), "%s%s%s%s%s", field->doc, *type ? " " : "", type, *type ? "." : "",
             field->reload ? "" : " [restart]");
    comment(out, depth, text);
    config_default_text(field, def);
    indent(out, depth);
    fprintf(out, "// %s = %s%s%s;\n", strrchr(field->name, '.') + 1, quoted ? "\"" : "", def,
            quoted ? "\"" : "");
}

static void list(FILE *out, int depth, unsigned which)
{
    char text[600], type[300];
    const struct config_list *l = &config_lists[which];
    fputc('\n', out);
    snprintf(text, sizeof(text), "%s%s", l->doc, l->reload ? "" : " [restart]");
    comment(out, depth, text);
    for (uint32_t i = 0; which == CONFIG_ROUTES && i < l->fields; i++) {
        bool plain = l->field[i].kind == CONFIG_TEXT || l->field[i].kind == CONFIG_BOOL;
        docgen_type(&l->field[i], type, sizeof(type));
        snprintf(text, sizeof(text), "  %s: %s%s%s%s", l->field[i].name, l->field[i].doc, plain ? "" : " (",
                 plain ? "" : type, plain ? "" : ")");
        comment(out, depth, text);
    }
    lines(out, depth, lists[which]);
}

static bool in_group(const char *path, const char *group, size_t len)
{
    return strncmp(path, group, len) == 0 && path[len] == '.';
}

/* Everything of one top-level group: its own items, then the groups inside, then its lists. */
static void group(FILE *out, const char *name)
{
    size_t len = strlen(name);
    fprintf(out, "%s: {\n", name);
    for (unsigned i = 0; i < config_items_n; i++)
        if (in_group(config_items[i].name, name, len) && strchr(config_items[i].name + len + 1, '.') == NULL)
            item(out, 1, &config_items[i]);
    for (unsigned i = 0; i < config_items_n; i++) {
        const char *path = config_items[i].name, *dot = strrchr(path, '.');
        size_t inner = (size_t)(dot - path);
        bool first = in_group(path, name, len) && inner > len;
        for (unsigned k = 0; k < i; k++)
            first = first && !(in_group(config_items[k].name, path, inner));
        if (!first)
            continue;
        fprintf(out, "\n  %.*s: {\n", (int)(inner - len - 1), path + len + 1);
        for (unsigned k = i; k < config_items_n; k++)
            if (in_group(config_items[k].name, path, inner))
                item(out, 2, &config_items[k]);
        for (unsigned k = 0; k < config_lists_n; k++)
            if (in_group(config_lists[k].name, path, inner))
                list(out, 2, k);
        fprintf(out, "  };\n");
    }
    for (unsigned i = 0; i < config_lists_n; i++)
        if (in_group(config_lists[i].name, name, len) && !strchr(config_lists[i].name + len + 1, '.'))
            list(out, 1, i);
    fprintf(out, "};\n");
}

void docgen_sample(FILE *out)
{
    fprintf(
        out,
        "// The configuration of a Heliograph node. What is commented shows the default; heliograph.cfg(5) "
        "and docs/config.md\n"
        "// say the same at length. `hgctl config check FILE` names every mistake at once, with its line.\n"
        "// [restart]: a reload does not apply it. Generated by hg-docgen: change the tables, not this "
        "file.\n\n"
        "// This node's own.\n");
    group(out, "node");
    fprintf(out, "\n// The process that moves packets, on this node.\n");
    group(out, "dataplane");
    fprintf(out, "\n// The cluster's: the same on all nodes.\n");
    group(out, "cluster");
}
