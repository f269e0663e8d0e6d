/* SPDX-License-Identifier: Apache-2.0 */
/* A caller's connection, and what went wrong with it. */
#pragma once
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include "stream.h"

enum { ROOM = 1 << 17, PATIENCE_SECONDS = 60 };

enum trouble {
	NONE,
	CUT,	 /* it ended, or was reset, where it should go on */
	REFUSED, /* an answer that no server gave */
	WRONG,	 /* bytes that nobody sent, or not to this caller */
	HUNG,	 /* nothing came for PATIENCE_SECONDS */
};

enum reads { READ_PLAIN, READ_LITTLE, READ_PEEKED, READ_WAITALL, READ_SPLICED, READ_EDGES, READ_SLOWLY, READ_VECTOR, READ_COUNTED, READS };
enum sends { SEND_WHOLE, SEND_HEAD_FIRST, SEND_PIECES, SEND_VECTOR, SEND_MORE, SEND_FILE, SEND_DRIBBLED, SEND_SPLICED, SEND_CORKED, SENDS };

/* Calls that gave EAGAIN though they block. */
static atomic_ullong sent_away;

struct connection {
	int fd, epoll, pipe[2];
	enum reads reads;
	enum sends sends;
	struct chance chance;
	/* Received, not yet looked at. */
	size_t at, end;
	unsigned char in[ROOM], out[ROOM];
	/* A server was asked for something after which connections may end. */
	int is_tainted;
	/* MSG_WAITALL may return short: answers go past TCP. */
	int is_past_tcp;
	enum trouble trouble;
	char what[200];
};

__attribute__((format(printf, 3, 4))) static inline int fail(struct connection *connection, enum trouble trouble,
							     const char *format, ...)
{
	va_list words;
	if (connection->trouble == NONE) {
		va_start(words, format);
		vsnprintf(connection->what, sizeof(connection->what), format, words);
		va_end(words);
		connection->trouble = trouble;
	}
	return -1;
}

static inline double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}
