/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Messages go into a reader's queue as long as what lies there unread, its sender's way of writing included, stays within
 * bounds; all others go by TCP, which has bounds of its own.
 */
#include "sockets.h"

/* What the kernel needs for a message beside its bytes: a struct sk_msg, from a slab of 1 KiB. */
#define MESSAGE_COST 1024

struct bound {
	__u64 target; /* cookie */
	__u32 most; /* bytes unread in the target's queue, cost of messages included; 0: no bound */
	__u32 queued; /* cost of what was put there since it was last empty */
	__u32 taken; /* messages */
	__u32 passed;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct ends);
	__type(value, struct bound);
} bounds SEC(".maps");

/* Whether all that was put into a socket's queue of redirected data was read. */
static __always_inline int is_empty(struct tcp_sock *tcp)
{
	struct sk_psock *psock = psock_of(tcp);

	return psock && has_no_messages(psock);
}

/* Whether the target may be given a message of this size. */
static __always_inline int has_room(struct bound *bound, __u32 size)
{
	struct tcp_sock *target = tcp_of(bound->target);

	if (!target)
		return 0;
	if (is_empty(target))
		bound->queued = 0;
	return bound->queued + size + MESSAGE_COST <= bound->most;
}

SEC("sk_msg")
int speak(struct sk_msg_md *message)
{
	struct ends ends = ends_of_message(message);
	struct bound *bound = bpf_map_lookup_elem(&bounds, &ends);

	if (!bound)
		return SK_PASS;
	if (bound->most && !has_room(bound, message->size)) {
		bound->passed++;
		return SK_PASS;
	}
	__u64 target = bound->target;
	bound->queued += message->size + MESSAGE_COST;
	bound->taken++;
	return bpf_msg_redirect_hash(message, &sockets, &target, BPF_F_INGRESS);
}
