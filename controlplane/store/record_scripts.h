/* SPDX-License-Identifier: BSD-2-Clause */
/* The scripts that change the record inside of Redis. Their C counterpart, for simulations, is
 * tests/sim/sim_redis.c; a test holds one against the other. */
#ifndef CONTROLPLANE_STORE_RECORD_SCRIPTS_H
#define CONTROLPLANE_STORE_RECORD_SCRIPTS_H

/* Who is master, which record is this, may I follow it?
 *   KEYS term, record, restoring
 *   ARGV run id of this server, id for a new record, term that the caller knows, id of the record that the
 *        caller remembers or "", name of the caller, ms that a restorer may take for one batch, run id of the
 *        master that the caller's memory is of or "", last number that it has
 *   -> term, id of the record, number of the last change, "follow" | "continue" | "restore" | "wait" (another
 * one writes it back), "new" | "" Who remembers another record than this one writes it back, except where
 * that was done already ("from"). The term rises with each master, and above every one that a caller knows: a
 * master that is lost may have written under it. What was there when the term rose stands in was_*: who knows
 * the beginning of just that, by the same process under the same term, may go on with the log. */
#define SCRIPT_HELLO                                                                                         \
    "local t = redis.call('HMGET', KEYS[1], 'term', 'run', 'seq', 'from',\n"                                 \
    "  'was_term', 'was_run', 'was_seq')\n"                                                                  \
    "local term = t[1] or '0'\n"                                                                             \
    "if t[2] ~= ARGV[1] or tonumber(ARGV[3]) > tonumber(term) then\n"                                        \
    "  local n = math.max(tonumber(term), tonumber(ARGV[3])) + 1\n"                                          \
    "  t[5], t[6], t[7] = term, t[2] or '', t[3] or '0'\n"                                                   \
    "  term = string.format('%.0f', n)\n"                                                                    \
    "  redis.call('HSET', KEYS[1], 'term', term, 'run', ARGV[1], \n"                                         \
    "    'was_term', t[5], 'was_run', t[6], 'was_seq', t[7])\n"                                              \
    "end\n"                                                                                                  \
    "local id, fresh = redis.call('GET', KEYS[2]), ''\n"                                                     \
    "if not id then\n"                                                                                       \
    "  id, fresh = ARGV[2], 'new'\n"                                                                         \
    "  redis.call('SET', KEYS[2], id)\n"                                                                     \
    "end\n"                                                                                                  \
    "local role, by = 'follow', redis.call('GET', KEYS[3])\n"                                                \
    "if ARGV[4] ~= '' and ARGV[4] ~= id and ARGV[4] ~= t[4] and not by then\n"                               \
    "  by = ARGV[5]\n"                                                                                       \
    "end\n"                                                                                                  \
    "if by == ARGV[5] then\n"                                                                                \
    "  redis.call('SET', KEYS[3], by, 'PX', ARGV[6])\n"                                                      \
    "  role = 'restore'\n"                                                                                   \
    "elseif by then\n"                                                                                       \
    "  role = 'wait'\n"                                                                                      \
    "elseif ARGV[7] ~= '' and ARGV[7] == t[6] and ARGV[3] == t[5] and ARGV[4] == id and\n"                   \
    "  tonumber(ARGV[8]) <= tonumber(t[7]) then\n"                                                           \
    "  role = 'continue'\n"                                                                                  \
    "end\n"                                                                                                  \
    "return {term, id, t[3] or '0', role, fresh}\n"

/* One change: all items or none.
 *   KEYS term, log, nodes, subclusters, ha, settings, routes, users
 *   ARGV term, run id, entries that the log keeps; then for each item: number of the table from 1, operation
 *        ("s" set, "d" delete) and condition ("*" any, "-" absent, "+" present, "=" version, "?" left out
 * where it exists, "!" these bytes), field, value, version or bytes
 *   -> "ok", version ("" when nothing was left to do) | "term" | "exists" | "missing" | "conflict", number of
 *      the item from 0, what stands there
 * Nothing may fail after the first write: a script is not undone. */
#define SCRIPT_CHANGE                                                                                        \
    "local t = redis.call('HMGET', KEYS[1], 'term', 'run', 'seq')\n"                                         \
    "if t[1] ~= ARGV[1] or t[2] ~= ARGV[2] then return {'term'} end\n"                                       \
    "redis.call('XLEN', KEYS[2])\n"                                                                          \
    "local used, want, stands = {}, {}, {}\n"                                                                \
    "for i = 4, #ARGV, 5 do\n"                                                                               \
    "  local k = tonumber(ARGV[i])\n"                                                                        \
    "  used[k] = true\n"                                                                                     \
    "  if string.byte(ARGV[i + 1], 2) ~= 42 then\n"                                                          \
    "    if not want[k] then want[k] = {} end\n"                                                             \
    "    table.insert(want[k], ARGV[i + 2])\n"                                                               \
    "  end\n"                                                                                                \
    "end\n"                                                                                                  \
    "for k in pairs(used) do redis.call('HLEN', KEYS[k + 2]) end\n"                                          \
    "for k, fields in pairs(want) do\n"                                                                      \
    "  local got, s = redis.call('HMGET', KEYS[k + 2], unpack(fields)), {}\n"                                \
    "  for j, f in ipairs(fields) do s[f] = got[j] end\n"                                                    \
    "  stands[k] = s\n"                                                                                      \
    "end\n"                                                                                                  \
    "local id = ARGV[1] .. '-' .. string.format('%.0f', tonumber(t[3] or '0') + 1)\n"                        \
    "local names = {'nodes', 'subclusters', 'ha', 'settings', 'routes', 'users'}\n"                          \
    "local set, del, log = {}, {}, {}\n"                                                                     \
    "for i = 4, #ARGV, 5 do\n"                                                                               \
    "  local k, f, op, e = tonumber(ARGV[i]), ARGV[i + 2], string.byte(ARGV[i + 1], 1, 2)\n"                 \
    "  local there = stands[k] and stands[k][f]\n"                                                           \
    "  local keep = true\n"                                                                                  \
    "  if e == 45 and there then return {'exists', (i - 4) / 5, there} end\n"                                \
    "  if (e == 43 or e == 61 or e == 33) and not there then return {'missing', (i - 4) / 5} end\n"          \
    "  if e == 61 and (string.match(there, '^(%d+%-%d+) ') or '0-0') ~= ARGV[i + 4] then\n"                  \
    "    return {'conflict', (i - 4) / 5, there}\n"                                                          \
    "  end\n"                                                                                                \
    "  if e == 33 and there ~= ARGV[i + 4] then return {'conflict', (i - 4) / 5, there} end\n"               \
    "  if e == 63 and there then keep = false end\n"                                                         \
    "  if keep and op == 115 then\n"                                                                         \
    "    local s = set[k]\n"                                                                                 \
    "    if not s then s = {}; set[k] = s end\n"                                                             \
    "    s[#s + 1] = f\n"                                                                                    \
    "    s[#s + 1] = id .. ' ' .. ARGV[i + 3]\n"                                                             \
    "    log[#log + 1] = names[k] .. ' set ' .. f\n"                                                         \
    "    log[#log + 1] = ARGV[i + 3]\n"                                                                      \
    "  elseif keep then\n"                                                                                   \
    "    if not del[k] then del[k] = {} end\n"                                                               \
    "    table.insert(del[k], f)\n"                                                                          \
    "    log[#log + 1] = names[k] .. ' del ' .. f\n"                                                         \
    "    log[#log + 1] = ''\n"                                                                               \
    "  end\n"                                                                                                \
    "end\n"                                                                                                  \
    "if #log == 0 then return {'ok', ''} end\n"                                                              \
    "redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], id, unpack(log))\n"                                 \
    "for k, list in pairs(set) do redis.call('HSET', KEYS[k + 2], unpack(list)) end\n"                       \
    "for k, list in pairs(del) do redis.call('HDEL', KEYS[k + 2], unpack(list)) end\n"                       \
    "redis.call('HINCRBY', KEYS[1], 'seq', 1)\n"                                                             \
    "return {'ok', id}\n"

#endif
