/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counters. A program may be preempted by its like on the same CPU, so even per-CPU values are added to atomically. */
#pragma once
#include "maps.h"

#define CGROUP_DEPTH 12 /* how far down from the root a workload's cgroup is looked for */

enum decision { DECIDED_CONNECTION, DECIDED_DATAGRAM, DECIDED_REFUSAL };

static __always_inline void count_statistic(enum statistic statistic)
{
	__u32 index = statistic;
	__u64 *value = bpf_map_lookup_elem(&statistics, &index);

	if (value)
		__sync_fetch_and_add(value, 1);
}

/* The workload whose cgroup the current task is in, at any depth; 0 if the node knows none. */
static __always_inline __u64 calling_workload(void)
{
	__u64 cgroup = bpf_get_current_cgroup_id();
	__u64 *workload = bpf_map_lookup_elem(&workloads, &cgroup);

	if (workload)
		return *workload;
	for (int level = 1; level <= CGROUP_DEPTH; level++) {
		cgroup = bpf_get_current_ancestor_cgroup_id(level);
		if (!cgroup)
			break;
		workload = bpf_map_lookup_elem(&workloads, &cgroup);
		if (workload)
			return *workload;
	}
	return 0;
}

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

static __always_inline void count_edge(__u64 service, __u64 endpoint, enum decision decision)
{
	struct edge_key key = { .source = calling_workload(), .service = service, .endpoint = endpoint };
	struct edge_value *value = edge_of(&key);

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
