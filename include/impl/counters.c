/* SPDX-License-Identifier: BSD-2-Clause */
#include "hg/counters.h"
#include "hg/log.h"

const struct hg_counter_info hg_counter_info[HG_COUNTERS_MAX] = {
#define HG_DROP(id, layer_, text_) [HG_DROP_##id] = {"drop_" #id, #layer_, text_, HG_KIND_DROP},
#include "hg/drops.def"
#undef HG_DROP
#define HG_COUNTER(id, text_) [HG_C_##id] = {#id, HG_LAYER, text_, HG_KIND_COUNTER},
#define HG_GAUGE(id, text_)   [HG_C_##id] = {#id, HG_LAYER, text_, HG_KIND_GAUGE},
#define HG_LAYER              "core"
#include "hg/counters_core.def"
#undef HG_LAYER
#define HG_LAYER "net"
#include "hg/counters_net.def"
#undef HG_LAYER
#define HG_LAYER "tcp"
#include "hg/counters_tcp.def"
#undef HG_LAYER
#define HG_LAYER "route"
#include "hg/counters_route.def"
#undef HG_LAYER
#define HG_LAYER "sip"
#include "hg/counters_sip.def"
#undef HG_LAYER
#define HG_LAYER "tls"
#include "hg/counters_tls.def"
#undef HG_LAYER
#undef HG_COUNTER
#undef HG_GAUGE
};

const struct hg_log_info hg_log_info[HG_LOGS_MAX] = {
#define HG_LOG(id, level_, text_) [HG_LOGID_##id] = {#id, HG_LOG_##level_, text_},
#include "hg/logs.def"
#undef HG_LOG
};
