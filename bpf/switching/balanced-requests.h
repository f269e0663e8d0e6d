/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Requests whose rule asks for more than a draw. A program of its own, so that rules which draw do not pay for it. */
#pragma once
#include "balance.h"
#include "key.h"
#include "requests.h"

/* Written by the programs. Goes with the socket. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct key_scan);
} key_scans SEC(".maps");

struct keyed {
	struct sk_msg_md *message;
	struct key_scan *scan;
	struct switched_key_value *key;
};

static long next_key_byte(__u32 index, struct keyed *keyed)
{
	__u8 *byte = keyed->message->data + (index & (MOST_HEAD_BYTES - 1));

	if ((void *)(byte + 1) > keyed->message->data_end)
		return 1;
	return !key_byte(keyed->scan, keyed->key, *byte);
}

static __always_inline struct switched_key_value *key_of(const struct speaker *speaker, __u32 rule)
{
	struct switched_rule_key of = { .service = speaker->service, .family = speaker->family };
	__u32 bank = speaker->bank;
	void *table = bpf_map_lookup_elem(&switched_keys, &bank);

	of.rule = rule;
	return table ? bpf_map_lookup_elem(table, &of) : NULL;
}

/* Returns false if the relay must look. */
static __always_inline bool hash_caller(const struct speaker *speaker, const struct switched_key_value *key, __u64 *hash)
{
	struct exchange_value *exchange = exchange_of(speaker->cookie);

	if (!exchange)
		return false;
	*hash = combined(exchange->source, key->times);
	return true;
}

/* The same. A request without a key may go anywhere. */
static __always_inline bool hash_request(struct sk_msg_md *message, struct bpf_sock *sk, struct switched_key_value *key,
					 __u32 head_length, __u64 *hash)
{
	struct keyed keyed = { .message = message, .key = key };

	keyed.scan = bpf_sk_storage_get(&key_scans, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!keyed.scan)
		return false;
	begin_key(keyed.scan, key);
	if (bpf_loop(head_length, next_key_byte, &keyed, 0) < 0 || keyed.scan->is_odd)
		return false;
	if (has_key(keyed.scan, key)) {
		*hash = combined(end_hash(&keyed.scan->hash), key->times);
		return true;
	}
	*hash = (__u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32();
	return !key->is_made;
}

/* Returns false if the relay must look. */
static __always_inline bool hash_of(struct sk_msg_md *message, struct bpf_sock *sk, const struct speaker *speaker,
				    struct switched_key_value *key, __u32 head_length, __u64 *hash)
{
	return key->kind == KEY_KIND_SOURCE ? hash_caller(speaker, key, hash) :
					      hash_request(message, sk, key, head_length, hash);
}

/* Of a request whose rule `carry` has found. What goes to the relay is drawn for again there: whether it does must not depend on
 * what is drawn here, or destinations would not get their shares. */
SEC("sk_msg")
int keelson_balance(struct sk_msg_md *message)
{
	struct bpf_sock *sk = message->sk;
	struct speaker *speaker = sk ? bpf_sk_storage_get(&speakers, sk, NULL, 0) : NULL;
	struct match_scan *scan = sk ? bpf_sk_storage_get(&request_scans, sk, NULL, 0) : NULL;
	struct switched_destination_value *value;
	struct slot_value drawn = {}, chosen = {};
	struct switched_key_value *key;
	struct switched_rule_value *rule;
	__u64 hash = 0;
	__u32 bank;

	if (!speaker || !scan)
		return SK_PASS;
	bank = speaker->bank;
	rule = rule_of(speaker, scan->detail);
	if (!rule)
		return pass_for(STATISTIC_PASSED_RULE);
	key = key_of(speaker, scan->detail);
	if (key && !hash_of(message, sk, speaker, key, scan->head_length, &hash))
		return pass_for(STATISTIC_PASSED_KEY);
	if (!draw(bank, rule->slots, rule->slot_count, &drawn) || !drawn.endpoint)
		return pass_for(STATISTIC_PASSED_NO_ENDPOINT);
	value = destination_of(bank, drawn.endpoint);
	if (!value)
		return pass_for(STATISTIC_PASSED_NO_ENDPOINT);
	if (needs_key(value) && !key)
		return pass_for(STATISTIC_PASSED_KEY);
	if (!choose_among(bank, drawn.endpoint, value, hash, &chosen) || !chosen.endpoint)
		return pass_for(STATISTIC_PASSED_NO_ENDPOINT);
	return carry_to(message, speaker, scan, rule->route, chosen.endpoint,
			value->balancing == BALANCING_LEAST_REQUEST ? drawn.endpoint : 0);
}
