/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a dialled address to an endpoint: one step, a verdict. */
#pragma once
#include "address.h"
#include "caller.h"
#include "count.h"

#define PASS 1 /* what a sock_addr program returns to let the call go on */
#define REFUSE 0

#define ECONNREFUSED 111

/* Set by the applier before load: bpf_set_retval exists (Linux 5.18). Without it a refused caller sees EPERM. */
volatile const bool can_set_errno = false;

enum choice { NOT_OURS, NO_ENDPOINT, CHOSEN };

/* One bank for the whole decision, so that no half of another version is mixed in. */
struct bank {
	void *services;
	void *slots;
};

static __always_inline bool active_bank(struct bank *bank)
{
	__u32 zero = 0;
	void *header_map = bpf_map_lookup_elem(&active, &zero);
	struct bank_header *header;
	__u32 index;

	if (!header_map)
		return false;
	header = bpf_map_lookup_elem(header_map, &zero);
	if (!header)
		return false;
	index = header->bank;
	bank->services = bpf_map_lookup_elem(&services, &index);
	bank->slots = bpf_map_lookup_elem(&slots, &index);
	return bank->services && bank->slots;
}

/* Draws from the service's alias table: one random slot, kept with its probability, else its alias. */
static __always_inline struct slot_value *draw(const struct bank *bank, const struct service_value *service)
{
	struct slot_key key = { .slots = service->slots };
	struct slot_value *slot;

	key.index = ((__u64)bpf_get_prandom_u32() * service->slot_count) >> 32;
	slot = bpf_map_lookup_elem(bank->slots, &key);
	if (!slot || bpf_get_prandom_u32() < slot->threshold)
		return slot;
	key.index = slot->alias;
	return bpf_map_lookup_elem(bank->slots, &key);
}

/* Finds out whether what the caller dials is a service of ours, and chooses an endpoint for it. */
static __always_inline enum choice choose(struct bpf_sock_addr *ctx, enum family family,
					  enum decision decision, struct address *dialled, struct slot_value *endpoint)
{
	struct service_key key = { .port = ctx->user_port, .protocol = ctx->protocol };
	struct edge_key edge = {};
	struct workload_value *caller;
	struct service_value *service;
	struct slot_value *slot;
	struct bank bank;

	if (!active_bank(&bank))
		return NOT_OURS;
	read_address(ctx, family, &key.address);
	*dialled = key.address;
	service = bpf_map_lookup_elem(bank.services, &key);
	if (!service)
		return NOT_OURS;
	caller = known_workload();
	if (is_left_alone(ctx, caller)) {
		count_statistic(STATISTIC_LEFT_ALONE);
		return NOT_OURS;
	}
	edge.source = caller ? caller->workload : 0;
	edge.service = service->service;
	slot = service->slot_count ? draw(&bank, service) : NULL;
	if (!slot && service->slot_count)
		count_statistic(STATISTIC_BROKEN_TABLE);
	if (!slot || !slot->endpoint) {
		count_edge(&edge, DECIDED_REFUSAL);
		return NO_ENDPOINT;
	}
	*endpoint = *slot;
	edge.endpoint = slot->endpoint;
	count_edge(&edge, decision);
	return CHOSEN;
}

static __always_inline int refuse(void)
{
	if (can_set_errno)
		bpf_set_retval(-ECONNREFUSED);
	return REFUSE;
}
