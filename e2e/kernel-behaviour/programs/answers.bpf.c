/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A caller's requests go into the queue of one of two servers on the same node, while nothing is outstanding and the
 * caller has read all; the servers' answers go into the caller's queue, or onto the relay's end of its connection.
 */
#include "sockets.h"

enum way { QUEUE, HOME };

struct caller {
	__u64 self; /* cookies */
	__u64 home; /* the relay's end of the caller's connection */
	__u64 servers[2];
	__u32 way;
	__u32 busy; /* a request is outstanding */
	__u32 started;
	__u32 read; /* copied_seq of the caller when it began */
	__u32 promised; /* bytes of answers since then; counted before they move */
	__u32 taken; /* requests */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct ends);
	__type(value, struct caller);
} callers SEC(".maps");

/* A server's ends: whom it answers. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct ends);
	__type(value, struct ends);
} served SEC(".maps");

/* Whether nothing lies in a socket's queues of redirected data, nor in TCP's. */
static __always_inline int is_drained(struct tcp_sock *tcp)
{
	struct sk_psock *psock = psock_of(tcp);

	if (BPF_CORE_READ(SOCK_OF(tcp), sk_backlog.rmem_alloc.counter))
		return 0;
	return !psock || (has_no_messages(psock) && !BPF_CORE_READ(psock, ingress_skb.qlen));
}

static __always_inline int ask(struct sk_msg_md *message, struct caller *caller)
{
	char *data = message->data, *end = message->data_end;
	struct bpf_sock *sk = message->sk;
	struct tcp_sock *tcp = sk ? bpf_skc_to_tcp_sock(sk) : NULL;

	if (!tcp || data + 1 > end)
		return SK_PASS;
	if (!caller->started) {
		caller->started = 1;
		caller->read = tcp->copied_seq;
	}
	int has_read = caller->way == HOME ? tcp->copied_seq - caller->read == caller->promised : is_drained(tcp);
	if (caller->busy || !has_read)
		return SK_PASS;
	__u64 server = data[0] == '1' ? caller->servers[0] : caller->servers[1];
	caller->busy = 1;
	caller->taken++;
	return bpf_msg_redirect_hash(message, &sockets, &server, BPF_F_INGRESS);
}

static __always_inline int answer(struct sk_msg_md *message, struct caller *caller)
{
	__u64 self = caller->self, home = caller->home;

	caller->promised += message->size;
	caller->busy = 0;
	return caller->way == HOME ? bpf_msg_redirect_hash(message, &sockets, &home, 0)
				   : bpf_msg_redirect_hash(message, &sockets, &self, BPF_F_INGRESS);
}

SEC("sk_msg")
int speak(struct sk_msg_md *message)
{
	struct ends ends = ends_of_message(message);
	struct ends *whom = bpf_map_lookup_elem(&served, &ends);
	struct caller *caller = bpf_map_lookup_elem(&callers, whom ? whom : &ends);

	if (!caller)
		return SK_PASS;
	return whom ? answer(message, caller) : ask(message, caller);
}
