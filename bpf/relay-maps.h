/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The maps by which programs find the relay, and tell it whose a connection is. */
#pragma once
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "gen/layout.h"

/* Written by the applier. Cookie of a network namespace → where the relay listens in it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct relay_value);
} relays SEC(".maps");

/* Written by the programs, taken out by the relay when it accepts. What nobody accepts goes, the oldest first. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct origin_key);
	__type(value, struct origin_value);
} origins SEC(".maps");
