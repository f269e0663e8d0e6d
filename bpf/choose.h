/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a dialled address to an endpoint: one step, a verdict. */
#pragma once
#include "address.h"
#include "caller.h"
#include "count.h"
#include "relay.h"
#include "tables.h"

#define PASS 1 /* what a sock_addr program returns to let the call go on */
#define REFUSE 0

#define ECONNREFUSED 111

/* Set by the applier before load: bpf_set_retval exists (Linux 5.18). Without it a refused caller sees EPERM. */
volatile const bool can_set_errno = false;

enum choice { NOT_OURS, NO_ENDPOINT, CHOSEN, CHOSEN_FOR_HTTP, AT_RELAY, AT_RELAY_SWITCHED };

/* Finds out whether what the caller dials is a service of ours, and chooses an endpoint for it, or the relay.
 * `edge` is what it is counted by; all of it is 0 to begin with. */
static __always_inline enum choice choose(struct bpf_sock_addr *ctx, enum family family, enum decision decision,
					  struct address *dialled, struct slot_value *endpoint, struct edge_key *edge)
{
	struct service_key key = {};
	struct service_value *service;
	struct caller caller = {};
	void *table;
	__u32 bank, is_http, is_switched;

	if (!active_bank(&bank))
		return NOT_OURS;
	table = bpf_map_lookup_elem(&services, &bank);
	if (!table)
		return NOT_OURS;
	key.protocol = ctx->protocol;
	keep_in_memory(&key);
	key.port = ctx->user_port;
	read_address(ctx, family, &key.address);
	*dialled = key.address;
	keep_in_memory(dialled);
	service = bpf_map_lookup_elem(table, &key);
	if (!service)
		return NOT_OURS;
	find_caller(&caller);
	if (is_left_alone(ctx, &caller)) {
		count_statistic(STATISTIC_LEFT_ALONE);
		return NOT_OURS;
	}
	is_http = service->is_http;
	is_switched = service->is_switched;
	edge->source = caller.workload;
	edge->service = service->service;
	*endpoint = (struct slot_value){};
	keep_in_memory(endpoint);
	if (service->home == HOME_RELAY) {
		if (find_relay(ctx, dialled, endpoint)) {
			count_edge(edge, decision);
			return is_switched ? AT_RELAY_SWITCHED : AT_RELAY;
		}
		count_statistic(STATISTIC_RELAY_MISSING);
	}
	if (service->slot_count && !draw(bank, service->slots, service->slot_count, endpoint))
		count_statistic(STATISTIC_BROKEN_TABLE);
	if (!endpoint->endpoint) {
		count_edge(edge, DECIDED_REFUSAL);
		return NO_ENDPOINT;
	}
	edge->endpoint = endpoint->endpoint;
	count_edge(edge, decision);
	return is_http ? CHOSEN_FOR_HTTP : CHOSEN;
}

static __always_inline int refuse(void)
{
	if (can_set_errno)
		bpf_set_retval(-ECONNREFUSED);
	return REFUSE;
}
