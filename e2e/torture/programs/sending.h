/* SPDX-License-Identifier: Apache-2.0 */
/* The ways in which callers write. */
#pragma once
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include "receiving.h"

/* 0, or -1; in a loop at edges a full buffer waits for its edge. */
static inline int sent(struct connection *connection, ssize_t result, const char *call)
{
	if (result >= 0)
		return 0;
	if (errno == EAGAIN && connection->reads == READ_EDGES)
		return wait_for_edge(connection);
	return failed_call(connection, call);
}

static inline int send_bytes(struct connection *connection, const unsigned char *bytes, size_t size, int flags)
{
	while (size > 0) {
		ssize_t result = send(connection->fd, bytes, size, flags | MSG_NOSIGNAL);
		if (sent(connection, result, "send") != 0)
			return -1;
		bytes += result > 0 ? result : 0;
		size -= result > 0 ? result : 0;
	}
	return 0;
}

static inline int send_pieces(struct connection *connection, const unsigned char *bytes, size_t size)
{
	while (size > 0) {
		size_t part = log_uniform(&connection->chance, size);
		if (send_bytes(connection, bytes, part, 0) != 0)
			return -1;
		bytes += part;
		size -= part;
		if (happens(&connection->chance, 50))
			usleep(below(&connection->chance, 1000));
	}
	return 0;
}

static inline int send_vector(struct connection *connection, const unsigned char *bytes, size_t size, size_t head)
{
	struct iovec parts[] = {{(void *)bytes, head}, {(void *)(bytes + head), size - head}};
	ssize_t result = writev(connection->fd, parts, 2);
	if (sent(connection, result, "writev") != 0)
		return -1;
	size_t done = result > 0 ? result : 0;
	return send_bytes(connection, bytes + done, size - done, 0);
}

/* Each message is a file of its own: sent pages stay the file's until they are read. */
static inline int send_file(struct connection *connection, const unsigned char *bytes, size_t size)
{
	int result = 0, file = memfd_create("message", MFD_CLOEXEC);
	if (file < 0 || write(file, bytes, size) != (ssize_t)size)
		result = fail(connection, WRONG, "a file in memory takes no %zu bytes: %s", size, strerror(errno));
	for (off_t at = 0; result == 0 && (size_t)at < size;)
		result = sent(connection, sendfile(connection->fd, file, &at, size - at), "sendfile");
	close(file);
	return result;
}

static inline int send_spliced(struct connection *connection, const unsigned char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t part = write(connection->pipe[1], bytes, size < 65536 ? size : 65536);
		if (part <= 0)
			return fail(connection, WRONG, "a pipe takes nothing: %s", strerror(errno));
		for (ssize_t left = part; left > 0;) {
			ssize_t result = splice(connection->pipe[0], NULL, connection->fd, NULL, left, 0);
			if (sent(connection, result, "splice") != 0)
				return -1;
			left -= result > 0 ? result : 0;
		}
		bytes += part;
		size -= part;
	}
	return 0;
}

static inline int send_corked(struct connection *connection, const unsigned char *bytes, size_t size)
{
	int on = 1, off = 0;
	setsockopt(connection->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
	int result = send_pieces(connection, bytes, size);
	setsockopt(connection->fd, IPPROTO_TCP, TCP_CORK, &off, sizeof(off));
	return result;
}

static inline int send_dribbled(struct connection *connection, const unsigned char *bytes, size_t size)
{
	size_t alone = below(&connection->chance, 40);
	for (; alone > 0 && size > 0; alone--, bytes++, size--)
		if (send_bytes(connection, bytes, 1, 0) != 0)
			return -1;
	return send_bytes(connection, bytes, size, 0);
}

/* A message, or the beginning of a long one; `head` of its bytes are its head. */
static inline int send_message(struct connection *connection, const unsigned char *bytes, size_t size, size_t head)
{
	switch (connection->sends) {
	case SEND_HEAD_FIRST:
	case SEND_MORE:
		if (send_bytes(connection, bytes, head, connection->sends == SEND_MORE && size > head ? MSG_MORE : 0) != 0)
			return -1;
		return send_bytes(connection, bytes + head, size - head, 0);
	case SEND_PIECES:
		return send_pieces(connection, bytes, size);
	case SEND_VECTOR:
		return send_vector(connection, bytes, size, head);
	case SEND_FILE:
		return send_file(connection, bytes, size);
	case SEND_DRIBBLED:
		return send_dribbled(connection, bytes, size);
	case SEND_SPLICED:
		return send_spliced(connection, bytes, size);
	case SEND_CORKED:
		return send_corked(connection, bytes, size);
	default:
		return send_bytes(connection, bytes, size, 0);
	}
}
