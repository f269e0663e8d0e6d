/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether a socket has not read all that came to it past TCP. Run by hand (BPF_PROG_TEST_RUN), with the socket's cookie as the first
 * eight bytes of the packet; answers 1 or 0.
 *
 * Agents of other layouts ask it, too, before they leave the maps: whatever becomes of the layouts, its pin, what it takes and what it
 * answers stay as they are, and so does `callers`, by cookie.
 */
#pragma once
#include "maps.h"
#include "../place.h"

SEC("tc")
int keelson_unread(struct __sk_buff *packet)
{
	__u64 cookie = 0, place;

	if (bpf_skb_load_bytes(packet, 0, &cookie, sizeof(cookie)))
		return 0;
	place = place_of(bpf_map_lookup_elem(&callers, &cookie));
	return place && has_queued(place);
}
