/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether a caller has read all that it was sent. */
#pragma once
#include "maps.h"
#include "../place.h"

/* Set by the applier before load. Answers go into the caller's queue of redirected data, past TCP: cheaper, but the caller can tell
 * (e2e/kernel-behaviour, "reader semantics"). Else they leave on its own connection, from the relay's end. */
volatile const bool answers_into_queue = false;

/* Somebody is at work on the socket. A socket that is gone has nobody. */
static __always_inline bool is_locked(__u64 place, __u64 cookie)
{
	struct sock *sk = (void *)place;
	__u32 lock = 1;
	int owned = 1;
	__u64 found = 0;

	bpf_core_read(&lock, sizeof(lock), &sk->sk_lock.slock);
	bpf_core_read(&owned, sizeof(owned), &sk->sk_lock.owned);
	bpf_core_read(&found, sizeof(found), &sk->__sk_common.skc_cookie.counter);
	return found == cookie && (lock || owned);
}

/*
 * An answer that went into a queue cannot be seen on its way there: its verdict has fallen, but it is in neither queue yet. Both
 * happens under the link's lock, however. So it was read if its verdict is seen (exchange->link is 0), then the lock free, then both
 * queues empty (e2e/kernel-behaviour, "arrival").
 */
static __always_inline bool is_queue_read(const struct exchange_value *exchange, __u64 place)
{
	return !exchange->is_queued || (!is_locked(exchange->last_place, exchange->last_link) && !has_queued(place));
}

/* Bytes of TCP that the caller is to have read: the relay's, and those of programs. */
static __always_inline __u32 bytes_sent(const struct exchange_value *exchange, const struct handback_value *handback)
{
	return handback->written + exchange->promised;
}
