/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The maps, and which side writes each. Sizes here are defaults that the applier may change before load. */
#pragma once
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "gen/layout.h"
#include "relay-maps.h"

#define BANKS 2

/* A table that exists once in each bank. */
#define BANKED_TABLE(NAME, KEY, VALUE)                            \
	struct {                                                  \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);         \
		__uint(max_entries, BANKS);                       \
		__type(key, __u32);                               \
		__array(values, struct {                          \
			__uint(type, BPF_MAP_TYPE_HASH);          \
			__uint(map_flags, BPF_F_NO_PREALLOC);     \
			__uint(max_entries, 1);                   \
			__uint(key_size, sizeof(KEY));            \
			__uint(value_size, sizeof(VALUE));        \
		});                                               \
	} NAME SEC(".maps")

/* Written by the applier. One pointer to the header of the bank that programs read. Replacing it is the moment a
 * new version becomes live; the kernel lets the applier go on only when no program still reads the old bank. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_ARRAY);
		__uint(max_entries, 1);
		__uint(key_size, sizeof(__u32));
		__uint(value_size, sizeof(struct bank_header));
	});
} active SEC(".maps");

/* Written by the applier, the bank that is not active only. Service addresses, by bank. */
BANKED_TABLE(services, struct service_key, struct service_value);

/* Written by the applier, the bank that is not active only. Alias tables of all services, by bank. */
BANKED_TABLE(slots, struct slot_key, struct slot_value);

/* Written by the applier. Cgroup id of a pod → what is known of it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct workload_value);
} workloads SEC(".maps");

/* Written by the programs, read and thinned out by the applier. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct edge_key);
	__type(value, struct edge_value);
} edges SEC(".maps");

/* Written by the programs, read and thinned out by the applier. A histogram has an entry for each bucket that is not empty. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 262144);
	__type(key, struct answer_key);
	__type(value, struct answer_value);
} answers SEC(".maps");

/* Written by the applier, again and again while somebody wants to see single requests. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct observation);
} observation SEC(".maps");

/* Written by the programs, read by the applier: struct request_record. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} records SEC(".maps");

/* Written by the programs. Goes with the socket. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct peer);
} peers SEC(".maps");

/* Written by the programs. Goes with the socket. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct conversation);
} conversations SEC(".maps");

/* Written by the programs. Goes with the socket. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct speaker);
} speakers SEC(".maps");

/* Callers' sockets whose requests are looked at, by their cookies. They are put in by the programs, and go when closed. */
struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u64);
} callers SEC(".maps");

/* Written by the applier. What looks at requests: sockets keep the stub that calls it for good, this is replaced.
 * Indexed by enum request_program. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, REQUEST_PROGRAM_BALANCES + 1);
	__type(key, __u32);
	__type(value, __u32);
} request_programs SEC(".maps");

/* Written by the programs. The least recently used flow goes first when it is full. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct flow_key);
	__type(value, struct flow_value);
} flows SEC(".maps");

/* Written by the programs. Indexed by enum statistic. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, STATISTIC_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} statistics SEC(".maps");
