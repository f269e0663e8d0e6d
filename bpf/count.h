/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counters. A program may be preempted by its like on the same CPU, so even per-CPU values are added to atomically. */
#pragma once
#include "latency.h"
#include "observe.h"
#include "statistic.h"

enum decision { DECIDED_CONNECTION, DECIDED_DATAGRAM, DECIDED_REFUSAL };

static __always_inline struct edge_value *edge_of(const struct edge_key *key)
{
	static const struct edge_value zero;
	struct edge_value *value = bpf_map_lookup_elem(&edges, key);

	if (value)
		return value;
	/* Fails if another CPU was first, which is as good, or if the map is full, which the lookup tells. */
	bpf_map_update_elem(&edges, key, &zero, BPF_NOEXIST);
	return bpf_map_lookup_elem(&edges, key);
}

static __always_inline void count_edge(const struct edge_key *key, enum decision decision)
{
	struct edge_value *value = edge_of(key);

	count_statistic(STATISTIC_DECIDED);
	if (!value) {
		count_statistic(STATISTIC_UNCOUNTED);
		return;
	}
	switch (decision) {
	case DECIDED_CONNECTION:
		__sync_fetch_and_add(&value->connections, 1);
		break;
	case DECIDED_DATAGRAM:
		__sync_fetch_and_add(&value->datagrams, 1);
		break;
	case DECIDED_REFUSAL:
		__sync_fetch_and_add(&value->refused, 1);
		break;
	}
}

/* A request has begun, whose answer is seen, too. */
static __always_inline void count_sent(const struct edge_key *key, __u64 bytes)
{
	struct edge_value *value = edge_of(key);

	if (!value) {
		count_statistic(STATISTIC_UNCOUNTED);
		return;
	}
	__sync_fetch_and_add(&value->sent_requests, 1);
	__sync_fetch_and_add(&value->sent_request_bytes, bytes);
}

/* A request has begun, whose answer is not seen. */
static __always_inline void count_request(const struct edge_key *key, __u64 bytes)
{
	count_sent(key, bytes);
	observe_request(key, 0, 0, 0, bytes);
}

static __always_inline struct answer_value *answers_of(const struct answer_key *key)
{
	static const struct answer_value zero;
	struct answer_value *value = bpf_map_lookup_elem(&answers, key);

	if (value)
		return value;
	/* As in edge_of. */
	bpf_map_update_elem(&answers, key, &zero, BPF_NOEXIST);
	return bpf_map_lookup_elem(&answers, key);
}

/* A request was answered. route: of the rule that it met; 0: none. status: 100 to 999. nanoseconds: from the request to the answer. bytes: of the answer's body. */
static __always_inline void count_answer(const struct edge_key *edge, __u64 route, __u32 status, __u64 nanoseconds,
						__u64 bytes)
{
	__u64 microseconds = nanoseconds / 1000;
	struct answer_key key = {
		.source = edge->source,
		.service = edge->service,
		.endpoint = edge->endpoint,
		.route = route,
		.status_class = status < 200 ? 1 : status < 500 ? status / 100 : 5,
		.bucket = bucket_of(microseconds),
	};
	struct answer_value *value = answers_of(&key);

	if (value) {
		__sync_fetch_and_add(&value->requests, 1);
		__sync_fetch_and_add(&value->bytes, bytes);
		__sync_fetch_and_add(&value->microseconds, microseconds);
	} else {
		count_statistic(STATISTIC_UNCOUNTED);
	}
	observe_request(edge, route, status, nanoseconds, bytes);
}
