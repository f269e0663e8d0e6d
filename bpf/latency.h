/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Log-linear buckets of times, as bpf-applier/src/relay/process/latency-buckets.ts has them. */
#pragma once
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include "gen/layout.h"

#define LAST_BUCKET ((LAST_POWER - 2) * BUCKETS_PER_POWER + BUCKETS_PER_POWER)

/* Of the topmost bit that is set. */
static __always_inline __u32 power_of(__u32 value)
{
	__u32 power = 0;

	for (__u32 half = 16; half; half >>= 1) {
		if (value >> half) {
			value >>= half;
			power += half;
		}
	}
	return power;
}

static __always_inline __u32 bucket_of(__u64 microseconds)
{
	__u32 power;

	if (microseconds < BUCKETS_PER_POWER)
		return microseconds;
	if (microseconds >> (LAST_POWER + 1))
		return LAST_BUCKET;
	power = power_of(microseconds);
	return (power - 2) * BUCKETS_PER_POWER + ((microseconds >> (power - 3)) & (BUCKETS_PER_POWER - 1));
}
