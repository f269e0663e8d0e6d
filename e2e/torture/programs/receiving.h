/* SPDX-License-Identifier: Apache-2.0 */
/* The ways in which callers read. */
#pragma once
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "connection.h"

static inline ssize_t failed_call(struct connection *connection, const char *call)
{
	if (errno == EAGAIN)
		return fail(connection, HUNG, "%s: nothing for %d s", call, PATIENCE_SECONDS);
	return fail(connection, CUT, "%s: %s", call, strerror(errno));
}

/*
 * Whoever blocks in a call on a socket in a sockhash is sent away with EAGAIN by whatever wakes it without bytes
 * (bpf/README.md): 1, ask once more. How often that was is told at the end; without a sockhash it may not be.
 */
static inline int is_early(double before, ssize_t result)
{
	int early = result < 0 && errno == EAGAIN && seconds() - before < PATIENCE_SECONDS - 1;
	if (early)
		atomic_fetch_add(&sent_away, 1);
	return early;
}

/* Waits until something has changed; 0, or -1. */
static inline int wait_for_edge(struct connection *connection)
{
	struct epoll_event event;
	int count = epoll_wait(connection->epoll, &event, 1, PATIENCE_SECONDS * 1000);
	if (count == 0)
		return fail(connection, HUNG, "epoll_wait: no edge for %d s", PATIENCE_SECONDS);
	return count < 0 && errno != EINTR ? fail(connection, CUT, "epoll_wait: %s", strerror(errno)) : 0;
}

static inline ssize_t take_at_edges(struct connection *connection, void *into, size_t room)
{
	for (;;) {
		ssize_t got = recv(connection->fd, into, room, MSG_DONTWAIT);
		if (got >= 0)
			return got;
		if (errno != EAGAIN)
			return failed_call(connection, "recv");
		if (wait_for_edge(connection) != 0)
			return -1;
	}
}

static inline ssize_t receive(struct connection *connection, void *into, size_t room, int flags, const char *call)
{
	ssize_t got;
	double before = seconds();
	do
		got = recv(connection->fd, into, room, flags);
	while (is_early(before, got));
	return got < 0 ? failed_call(connection, call) : got;
}

/* A peek shows what is received next. */
static inline ssize_t take_peeked(struct connection *connection, void *into, size_t room)
{
	static __thread unsigned char seen[ROOM];
	ssize_t shown = receive(connection, seen, room, MSG_PEEK, "recv(MSG_PEEK)");
	if (shown < 0)
		return -1;
	ssize_t got = receive(connection, into, shown > 0 ? shown : 1, 0, "recv");
	if (got < 0)
		return -1;
	if (got != shown || memcmp(seen, into, got) != 0)
		return fail(connection, WRONG, "MSG_PEEK showed %zd bytes, recv gave %zd or others", shown, got);
	return got;
}

static inline ssize_t take_spliced(struct connection *connection, void *into, size_t room)
{
	ssize_t moved;
	double before = seconds();
	do
		moved = splice(connection->fd, NULL, connection->pipe[1], NULL, room < 65536 ? room : 65536, 0);
	while (is_early(before, moved));
	if (moved < 0)
		return failed_call(connection, "splice");
	for (ssize_t read_so_far = 0; read_so_far < moved;) {
		ssize_t got = read(connection->pipe[0], (char *)into + read_so_far, moved - read_so_far);
		if (got <= 0)
			return fail(connection, WRONG, "splice said %zd, the pipe has %zd", moved, read_so_far);
		read_so_far += got;
	}
	return moved;
}

/*
 * What FIONREAD counts can be received at once; past TCP by two calls at most, as it may count both what came by TCP and what did not
 * (bpf/README.md), and each call gives only one of them.
 */
static inline ssize_t take_counted(struct connection *connection, void *into, size_t room)
{
	struct pollfd readable = {.fd = connection->fd, .events = POLLIN};
	int waiting = 0, count = poll(&readable, 1, PATIENCE_SECONDS * 1000);
	if (count == 0)
		return fail(connection, HUNG, "poll: nothing for %d s", PATIENCE_SECONDS);
	if (count < 0 || ioctl(connection->fd, FIONREAD, &waiting) != 0)
		return failed_call(connection, "FIONREAD");
	size_t expected = waiting <= 0 || (size_t)waiting > room ? room : (size_t)waiting, total = 0;
	for (int calls = 0; calls < (connection->is_past_tcp ? 2 : 1); calls++) {
		ssize_t got = recv(connection->fd, (char *)into + total, expected - total, MSG_DONTWAIT);
		if (got < 0 && errno == EAGAIN)
			return fail(connection, WRONG, "poll said readable, FIONREAD %d, after %zu recv EAGAIN", waiting, total);
		if (got < 0)
			return failed_call(connection, "recv");
		total += got;
		if (waiting <= 0 || got == 0 || total == expected)
			break;
	}
	if (waiting > 0 && total != expected)
		return fail(connection, WRONG, "FIONREAD counted %d, recv gave %zu", waiting, total);
	return total;
}

static inline ssize_t take_vector(struct connection *connection, void *into, size_t room)
{
	size_t first = 1 + below(&connection->chance, room);
	if (first > room)
		first = room;
	struct iovec parts[] = {{into, first}, {(char *)into + first, room - first}};
	ssize_t got;
	double before = seconds();
	do
		got = readv(connection->fd, parts, 2);
	while (is_early(before, got));
	return got < 0 ? failed_call(connection, "readv") : got;
}

/* `sure`: so many bytes are still to come; 0: nobody knows. */
static inline ssize_t take_all(struct connection *connection, void *into, size_t room, uint64_t sure)
{
	size_t wanted = sure == 0 ? room : 1 + below(&connection->chance, sure < room ? sure : room);
	ssize_t got = receive(connection, into, wanted, sure == 0 ? 0 : MSG_WAITALL, "recv(MSG_WAITALL)");
	if (sure > 0 && got > 0 && (size_t)got < wanted && !connection->is_past_tcp)
		return fail(connection, CUT, "recv(MSG_WAITALL) of %zu gave %zd", wanted, got);
	return got;
}

/* Little by little only what is not long. */
static inline size_t little(struct connection *connection, uint64_t sure)
{
	return sure > 65536 ? ROOM : 1 + below(&connection->chance, 700);
}

static inline ssize_t take(struct connection *connection, uint64_t sure)
{
	unsigned char *into = connection->in;
	size_t room = ROOM;
	switch (connection->reads) {
	case READ_LITTLE:
		return receive(connection, into, little(connection, sure), 0, "recv");
	case READ_SLOWLY:
		usleep(below(&connection->chance, 3000));
		return receive(connection, into, sure > 65536 ? ROOM : 1 + below(&connection->chance, 8000), 0, "recv");
	case READ_PEEKED:
		return take_peeked(connection, into, room);
	case READ_WAITALL:
		return take_all(connection, into, room, sure);
	case READ_SPLICED:
		return take_spliced(connection, into, room);
	case READ_EDGES:
		return take_at_edges(connection, into, room);
	case READ_VECTOR:
		return take_vector(connection, into, room);
	case READ_COUNTED:
		return take_counted(connection, into, room);
	default:
		return receive(connection, into, room, 0, "recv");
	}
}

/* Has bytes to look at, at least one: 1; the end: 0; trouble: -1. */
static inline int refill(struct connection *connection, uint64_t sure)
{
	if (connection->at < connection->end)
		return 1;
	ssize_t got = take(connection, sure);
	connection->at = 0;
	connection->end = got > 0 ? got : 0;
	return got > 0 ? 1 : got;
}
