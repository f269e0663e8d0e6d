/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The connect tier: which endpoint a connection or datagram to a service address goes to. One header per hook. */
#include "hooks/connect.h"
#include "hooks/peer.h"
#include "hooks/sendmsg.h"

/* Some helpers are for GPL-compatible programs only; the sources are dual-licensed all the same. */
char LICENSE[] SEC("license") = "Dual BSD/GPL";
