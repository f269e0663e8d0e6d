/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Takes requests off the way to the relay. Loaded beside keelson.bpf.o, whose maps it shares. */
#include "requests.h"
#include "balanced-requests.h"
#include "answers.h"
#include "command.h"
#include "unread.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
