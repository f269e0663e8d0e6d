/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Requests whose rule asks for more than a draw. A program of its own, so that rules which draw do not pay for it. */
#pragma once
#include "balance.h"
#include "requests.h"

/* Of a request whose rule `carry` has found. */
SEC("sk_msg")
int keelson_balance(struct sk_msg_md *message)
{
	struct bpf_sock *sk = message->sk;
	struct speaker *speaker = sk ? bpf_sk_storage_get(&speakers, sk, NULL, 0) : NULL;
	struct match_scan *scan = sk ? bpf_sk_storage_get(&request_scans, sk, NULL, 0) : NULL;
	struct switched_destination_value *value;
	struct slot_value drawn = {}, chosen = {};
	struct switched_rule_value *rule;
	__u32 bank;

	if (!speaker || !scan)
		return SK_PASS;
	bank = speaker->bank;
	rule = rule_of(speaker, scan->detail);
	if (!rule)
		return pass_for(STATISTIC_PASSED_RULE);
	if (!draw(bank, rule->slots, rule->slot_count, &drawn) || !drawn.endpoint)
		return pass_for(STATISTIC_PASSED_NO_ENDPOINT);
	value = destination_of(bank, drawn.endpoint);
	if (!value || !choose_among(bank, drawn.endpoint, value, &chosen) || !chosen.endpoint)
		return pass_for(STATISTIC_PASSED_NO_ENDPOINT);
	return carry_to(message, speaker, scan, rule->route, chosen.endpoint,
			value->balancing == BALANCING_LEAST_REQUEST ? drawn.endpoint : 0);
}
