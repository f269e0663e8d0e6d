/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whose call it is, and whether it is decided here. */
#pragma once
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include "maps.h"

#define CGROUP_DEPTH 12 /* how far down from the root a workload's cgroup is looked for */

/* Set by the applier before load: cookie of its own network namespace. Its own calls must reach the control plane
 * whatever the maps say, and on a nested node that namespace may be the node's. */
volatile const __u64 applier_network = 0;

/* What is known of the pod that the current task is in. */
struct caller {
	__u64 workload; /* as in workload_value */
	__u64 left_alone;
};

/* At any depth of a pod's cgroup. A function of its own, which the verifier looks at once: inside of a program, its paths
 * times those of the program are too many for those without CAP_PERFMON.
 * Returns whether the applier knows the pod; else nothing is written. */
__noinline int find_caller(struct caller *caller)
{
	__u64 cgroup = bpf_get_current_cgroup_id();
	struct workload_value *known;

	if (!caller)
		return 0;
	known = bpf_map_lookup_elem(&workloads, &cgroup);
	for (int level = 1; level <= CGROUP_DEPTH; level++) {
		if (known) {
			caller->workload = known->workload;
			caller->left_alone = known->left_alone;
			return 1;
		}
		cgroup = bpf_get_current_ancestor_cgroup_id(level);
		if (!cgroup)
			return 0;
		known = bpf_map_lookup_elem(&workloads, &cgroup);
	}
	return 0;
}

/* A pod with hostNetwork shares its node's: on a node that is a machine, the first one of the kernel. */
static __always_inline bool on_node_network(struct bpf_sock_addr *ctx)
{
	__u64 network = bpf_get_netns_cookie(ctx);

	return network == bpf_get_netns_cookie(NULL) || network == applier_network;
}

/* A pod that the applier does not know yet has just started, and its calls are decided: the programs hang above all
 * pods, so that the first one is, too. */
static __always_inline bool is_left_alone(struct bpf_sock_addr *ctx, const struct caller *caller)
{
	return caller->left_alone || on_node_network(ctx);
}
