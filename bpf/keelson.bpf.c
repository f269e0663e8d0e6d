/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which endpoint a connection or datagram to a service address goes to, or that the relay decides. One header per hook. */
#include "hooks/connect.h"
#include "hooks/established.h"
#include "hooks/peer.h"
#include "hooks/requests.h"
#include "hooks/sendmsg.h"

/* Some helpers are for GPL-compatible programs only; the sources are dual-licensed all the same. */
char LICENSE[] SEC("license") = "Dual BSD/GPL";
