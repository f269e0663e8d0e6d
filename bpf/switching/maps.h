/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The maps of requests that programs take off the way to the relay, and which side writes each. */
#pragma once
#include "../maps.h"

/* Written by the applier, the bank that is not active only. Service ports whose requests programs take, by bank. */
BANKED_TABLE(switched_services, struct switched_service_key, struct switched_service_value);

/* Written by the applier, the bank that is not active only. Where the requests of their rules go, by bank. */
BANKED_TABLE(switched_rules, struct switched_rule_key, struct switched_rule_value);

/* Written by the applier, the bank that is not active only. How an endpoint of a destination is chosen, by bank. */
BANKED_TABLE(switched_destinations, struct switched_destination_key, struct switched_destination_value);

/* Written by the applier, the bank that is not active only. What decides for an endpoint where a key does, by bank. */
BANKED_TABLE(switched_keys, struct switched_rule_key, struct switched_key_value);

/* Written by the applier: rings and Maglev tables by a hash of what is in them, each before a destination names it. Each has as
 * many points as it needs. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_ARRAY);
		__uint(map_flags, BPF_F_INNER_MAP);
		__uint(max_entries, 1);
		__uint(key_size, sizeof(__u32));
		__uint(value_size, sizeof(struct ring_point));
	});
} rings SEC(".maps");

/* Written by the applier: match tables by a hash of what is in them, each before a service names it. One map for each size. */
#define MATCH_TABLES(NAME, ENTRIES)                                          \
	struct {                                                             \
		__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);                     \
		__uint(map_flags, BPF_F_NO_PREALLOC);                        \
		__uint(max_entries, 4096);                                   \
		__type(key, __u64);                                          \
		__array(values, struct {                                     \
			__uint(type, BPF_MAP_TYPE_ARRAY);                    \
			__uint(max_entries, 1);                              \
			__uint(key_size, sizeof(__u32));                     \
			__uint(value_size, (ENTRIES) * sizeof(struct match_entry)); \
		});                                                          \
	} NAME SEC(".maps")

MATCH_TABLES(match_tables_small, SMALL_TABLE);
MATCH_TABLES(match_tables_medium, MEDIUM_TABLE);
MATCH_TABLES(match_tables_large, LARGE_TABLE);

/* Written by the relay: its ends of callers' connections, by the cookies of the callers' sockets. */
struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u64);
} homes SEC(".maps");

/* Written by the relay: connections to endpoints, by their cookies. */
struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u64);
} links SEC(".maps");

/* Written by the programs; the relay makes entries, and removes those that are nobody's (known.h). By the cookie of the caller's
 * socket. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct exchange_value);
} exchanges SEC(".maps");

/* Written by the relay. By the cookie of the caller's socket. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct handback_value);
} handbacks SEC(".maps");

/* Written by the programs; the relay removes those that are nobody's (known.h). By the link's cookie. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct link_value);
} link_values SEC(".maps");

/* Written by the programs, read by the relay: cookies of links on which bytes were left to it. None is there again before the relay
 * asks for it (is_told): with 16 bytes for each there is room for all links that there may be, but for one. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} passed_links SEC(".maps");

/* Idle links; the one used last is used next. */
struct pool {
	struct bpf_spin_lock lock;
	__u32 count;
	__u64 network, workload, endpoint; /* as in its key; no endpoint: it is new, or the relay has dropped it (known.h) */
	__u64 links[POOL_LINKS]; /* cookies */
};

/* Written by the programs; the relay removes those that are nobody's (known.h). */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct pool_key);
	__type(value, struct pool);
} pools SEC(".maps");

/* Written by the applier. What looks at answers, as `request_programs`. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} answer_programs SEC(".maps");
