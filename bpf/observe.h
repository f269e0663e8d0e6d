/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Single requests for those who want to see them. Nobody is waited for: what is not read in time is lost, and counted. */
#pragma once
#include <stdbool.h>
#include "statistic.h"

static __always_inline bool is_observed(void)
{
	__u32 zero = 0;
	const struct observation *observed = bpf_map_lookup_elem(&observation, &zero);

	if (!observed || !observed->until || bpf_ktime_get_ns() > observed->until)
		return false;
	return observed->every < 2 || bpf_get_prandom_u32() % observed->every == 0;
}

/* The arguments are those of count_answer; status 0: the answer was not seen, and bytes are those of the request. */
static __always_inline void observe_request(const struct edge_key *edge, __u64 route, __u32 status, __u64 nanoseconds, __u64 bytes)
{
	struct request_record *record;

	if (!is_observed())
		return;
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record) {
		count_statistic(STATISTIC_LOST_RECORDS);
		return;
	}
	*record = (struct request_record){
		.seen = bpf_ktime_get_ns(),
		.source = edge->source,
		.service = edge->service,
		.endpoint = edge->endpoint,
		.route = route,
		.nanoseconds = nanoseconds,
		.bytes = bytes,
		.status = status,
	};
	bpf_ringbuf_submit(record, 0);
}
