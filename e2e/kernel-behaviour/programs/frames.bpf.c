/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Requests with a binary head of eight bytes, each for the relay or for one of two upstreams: told apart by a program that
 * trusts apply_bytes, and by one that trusts nothing but the upstream's own write_seq.
 */
#include "sockets.h"

enum { RELAY, UPSTREAMS = 2 };

/* Of a sock: how much it may hold until its peer has it, and how much it holds. */
struct sock___room {
	int sk_sndbuf;
	int sk_wmem_queued;
} __attribute__((preserve_access_index));

struct head {
	__u32 length; /* of the whole request, head included */
	__u32 target; /* RELAY, or the number of an upstream, from 1 */
};

struct caller {
	__u64 upstreams[UPSTREAMS]; /* cookies */
	__u64 self;
	__u32 careful; /* 1: write_seq is the truth */
	__u32 needs_room; /* 1: take a request only if the upstream has room for it */
	__u32 owing; /* number of the upstream to which a request is under way, 0 if none */
	__u32 end; /* write_seq of that upstream when the request is complete */
	__u32 redirected; /* 1: something went to an upstream, perhaps of this very send */
	__u32 relayed; /* 1: this connection is the relay's from now on */
	__u32 runs;
	__u32 stray; /* runs that found no head where it trusted to find one */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct ends);
	__type(value, struct caller);
} callers SEC(".maps");

static __always_inline __u64 cookie_of(const struct caller *caller, __u32 number)
{
	return number == 1 ? caller->upstreams[0] : caller->upstreams[1];
}

static __always_inline int send_to(struct sk_msg_md *message, struct caller *caller, __u64 cookie, __u32 bytes)
{
	caller->redirected = 1;
	if (bytes < message->size)
		bpf_msg_apply_bytes(message, bytes);
	return bpf_msg_redirect_hash(message, &sockets, &cookie, 0);
}

/* All that is left of this send goes to the relay, whatever became of what was before it. */
static __always_inline int hand_over(struct sk_msg_md *message, struct caller *caller)
{
	__u64 self = caller->self;

	caller->relayed = 1;
	if (!caller->redirected)
		return SK_PASS;
	bpf_msg_apply_bytes(message, 0);
	return bpf_msg_redirect_hash(message, &sockets, &self, 0);
}

static __always_inline struct head *head_of(struct sk_msg_md *message)
{
	if (message->data_end - message->data < (long)sizeof(struct head) &&
	    bpf_msg_pull_data(message, 0, sizeof(struct head), 0))
		return NULL;
	struct head *head = message->data;
	return (void *)(head + 1) > message->data_end ? NULL : head;
}

/* As the documentation of apply_bytes suggests. */
static __always_inline int trusting(struct sk_msg_md *message, struct caller *caller)
{
	struct head *head = head_of(message);

	if (!head || head->target == RELAY || head->target > UPSTREAMS) {
		if (!head || head->target != RELAY)
			caller->stray++;
		return SK_PASS;
	}
	return send_to(message, caller, cookie_of(caller, head->target), head->length);
}

static __always_inline int careful(struct sk_msg_md *message, struct caller *caller)
{
	if (caller->owing) {
		__u64 cookie = cookie_of(caller, caller->owing);
		struct tcp_sock *upstream = tcp_of(cookie);
		__s32 owed = upstream ? (__s32)(caller->end - BPF_CORE_READ(upstream, write_seq)) : 0;

		if (owed > 0)
			return send_to(message, caller, cookie, owed);
		caller->owing = 0;
	}
	if (caller->relayed)
		return hand_over(message, caller);
	struct head *head = head_of(message);
	if (!head || head->target == RELAY || head->target > UPSTREAMS) {
		if (!head || head->target != RELAY)
			caller->stray++;
		return hand_over(message, caller);
	}
	__u64 cookie = cookie_of(caller, head->target);
	struct tcp_sock *upstream = tcp_of(cookie);
	if (!upstream)
		return hand_over(message, caller);
	struct sock___room *sock = (void *)SOCK_OF(upstream);
	int room = BPF_CORE_READ(sock, sk_sndbuf) - BPF_CORE_READ(sock, sk_wmem_queued);
	if (caller->needs_room && room < (int)head->length)
		return hand_over(message, caller);
	caller->owing = head->target;
	caller->end = BPF_CORE_READ(upstream, write_seq) + head->length;
	return send_to(message, caller, cookie, head->length);
}

SEC("sk_msg")
int speak(struct sk_msg_md *message)
{
	struct ends ends = ends_of_message(message);
	struct caller *caller = bpf_map_lookup_elem(&callers, &ends);

	if (!caller)
		return SK_PASS;
	__sync_fetch_and_add(&caller->runs, 1);
	return caller->careful ? careful(message, caller) : trusting(message, caller);
}
