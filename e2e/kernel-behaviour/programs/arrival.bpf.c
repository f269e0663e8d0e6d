/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A caller's request leaves on a link; sk_skb moves what arrives there into the caller's queue. A second request, sent
 * before anything was read, waits inside its own verdict until the answer's verdict has fallen, and looks at that very
 * moment whether the answer can be seen.
 */
#include "sockets.h"

struct caller {
	__u64 self; /* cookies */
	__u64 link;
	__u32 moved; /* answers whose verdict has fallen */
	__u32 awaited; /* the same number when the second request looks */
	__u32 asks_lock; /* 1: looks only when nobody holds the link's lock */
	__u32 late; /* looks that were given up */
	__u32 looks;
	__u32 held; /* of these, those that met the lock held */
	__u32 absent; /* of these, those that did not see the answer */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct caller);
} callers SEC(".maps");

static __always_inline struct caller *the_caller(void)
{
	__u32 first = 0;

	return bpf_map_lookup_elem(&callers, &first);
}

/* The kernel puts an answer into `ingress_msg` before it takes it out of `ingress_skb`, so they are read the other way. */
static __always_inline int is_absent(struct tcp_sock *tcp)
{
	struct sk_psock *psock = psock_of(tcp);

	return !psock || (!BPF_CORE_READ(psock, ingress_skb.qlen) && has_no_messages(psock));
}

static __always_inline int is_locked(struct tcp_sock *tcp)
{
	__u32 lock = 1;

	bpf_core_read(&lock, sizeof(lock), &SOCK_OF(tcp)->sk_lock.slock);
	return lock || BPF_CORE_READ(SOCK_OF(tcp), sk_lock.owned);
}

struct wait {
	struct caller *caller;
	struct tcp_sock *link;
};

static long until_moved(__u32 turn, struct wait *wait)
{
	return *(volatile __u32 *)&wait->caller->moved == wait->caller->awaited;
}

static long until_unlocked(__u32 turn, struct wait *wait)
{
	return !is_locked(wait->link);
}

#define LONGEST_WAIT (1 << 22) /* turns: milliseconds */

static __always_inline void look(struct sk_msg_md *message, struct caller *caller)
{
	struct bpf_sock *sk = message->sk;
	struct tcp_sock *self = sk ? bpf_skc_to_tcp_sock(sk) : NULL;
	struct wait wait = {.caller = caller, .link = tcp_of(caller->link)};

	if (!self || !wait.link)
		return;
	if (bpf_loop(LONGEST_WAIT, until_moved, &wait, 0) == LONGEST_WAIT) {
		caller->late++;
		return;
	}
	caller->looks++;
	if (is_locked(wait.link))
		caller->held++;
	if (caller->asks_lock && bpf_loop(LONGEST_WAIT, until_unlocked, &wait, 0) == LONGEST_WAIT) {
		caller->late++;
		return;
	}
	if (is_absent(self))
		caller->absent++;
}

SEC("sk_msg")
int speak(struct sk_msg_md *message)
{
	char *data = message->data, *end = message->data_end;
	struct caller *caller = the_caller();

	if (!caller || data + 1 > end)
		return SK_PASS;
	if (data[0] == '2') {
		look(message, caller);
		return SK_PASS; /* SK_DROP would refuse all that comes after it, too */
	}
	caller->awaited = caller->moved + 1;
	__u64 link = caller->link;
	return bpf_msg_redirect_hash(message, &sockets, &link, 0);
}

SEC("sk_skb")
int hear(struct __sk_buff *packet)
{
	struct caller *caller = the_caller();

	if (!caller || !packet->len)
		return SK_PASS;
	__u64 self = caller->self;
	__sync_fetch_and_add(&caller->moved, 1);
	return bpf_sk_redirect_hash(packet, &sockets, &self, BPF_F_INGRESS);
}
