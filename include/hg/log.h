/* SPDX-License-Identifier: BSD-2-Clause */
/* Log messages are a closed list (logs.def): cores write {id, arguments} records into the up ring,
 * rate-limited per id, and the control plane renders them. No body, credential or raw packet is ever an
 * argument. */
#ifndef HG_LOG_H
#define HG_LOG_H

enum hg_log_level { HG_LOG_ERROR = 0, HG_LOG_WARNING, HG_LOG_INFO, HG_LOG_DEBUG };

/* HG_LOG(id, level, text): text has one {} per argument */
enum hg_log_id {
#define HG_LOG(id, level, text) HG_LOGID_##id,
#include "hg/logs.def"
#undef HG_LOG
    HG_LOGS_MAX
};

struct hg_log_info {
    const char *name;
    enum hg_log_level level;
    const char *text;
};

extern const struct hg_log_info hg_log_info[HG_LOGS_MAX];

#endif
