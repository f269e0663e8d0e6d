/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counters of the whole node. */
#pragma once
#include "maps.h"

static __always_inline void count_statistic(enum statistic statistic)
{
	__u32 index = statistic;
	__u64 *value = bpf_map_lookup_elem(&statistics, &index);

	if (value)
		__sync_fetch_and_add(value, 1);
}
