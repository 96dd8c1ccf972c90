#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# SIPp scenarios for the behaviours of the proxy.
exec python3 "$(dirname "$0")/sipp.py" "$@"
