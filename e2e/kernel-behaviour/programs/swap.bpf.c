/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two versions of a program that sends requests to one upstream each, behind a stub that calls whichever is in place.
 * A request begins with its length, of four bytes, and may come in several sends.
 */
#include "sockets.h"

struct caller {
	__u64 upstreams[2]; /* cookies, by version */
	__u32 owing; /* version under which the request under way began, 0 if none is */
	__u32 end; /* write_seq of that upstream when it is complete */
	__u32 began[2]; /* requests, by version */
	__u32 missed; /* runs of the stub that found nothing in place */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct ends);
	__type(value, struct caller);
} callers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} in_place SEC(".maps");

static __always_inline int send_to(struct sk_msg_md *message, __u64 cookie)
{
	return bpf_msg_redirect_hash(message, &sockets, &cookie, 0);
}

static __always_inline int handle(struct sk_msg_md *message, __u32 version)
{
	struct ends ends = ends_of_message(message);
	struct caller *caller = bpf_map_lookup_elem(&callers, &ends);
	__u32 *length = message->data;

	if (!caller)
		return SK_PASS;
	if (caller->owing) {
		__u64 cookie = caller->owing == 1 ? caller->upstreams[0] : caller->upstreams[1];
		struct tcp_sock *upstream = tcp_of(cookie);

		if (upstream && (__s32)(caller->end - BPF_CORE_READ(upstream, write_seq)) > 0)
			return send_to(message, cookie);
		caller->owing = 0;
	}
	__u64 cookie = version == 1 ? caller->upstreams[0] : caller->upstreams[1];
	struct tcp_sock *upstream = tcp_of(cookie);
	if (!upstream || (void *)(length + 1) > message->data_end)
		return SK_PASS;
	caller->owing = version;
	caller->end = BPF_CORE_READ(upstream, write_seq) + *length;
	if (version == 1)
		caller->began[0]++;
	else
		caller->began[1]++;
	return send_to(message, cookie);
}

SEC("sk_msg")
int first(struct sk_msg_md *message)
{
	return handle(message, 1);
}

SEC("sk_msg")
int second(struct sk_msg_md *message)
{
	return handle(message, 2);
}

SEC("sk_msg")
int speak(struct sk_msg_md *message)
{
	struct ends ends = ends_of_message(message);
	struct caller *caller = bpf_map_lookup_elem(&callers, &ends);

	bpf_tail_call(message, &in_place, 0);
	if (caller)
		__sync_fetch_and_add(&caller->missed, 1);
	return SK_PASS;
}
