/* One HTTP/1.1 connection of a caller: a request at a time, and a close look at its answer. */
#pragma once
#include "body.h"
#include "wire.h"
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/un.h>

#define HEAD_ROOM 4096
#define PATIENCE_SECONDS 10

struct place {
	struct sockaddr_storage address;
	socklen_t size;
};

struct exchange {
	int socket;
	/* When the request that is out was to be sent; 0: none is out. */
	int64_t since;
	/* Of its answer: bytes of the head so far, and of the body once the head is complete. */
	size_t head_filled, body_seen;
	int head_done;
	/* Of HTTP/2 (http2-exchange.h): the request's stream, the frame under way, bytes that the window was not opened for. */
	int http2, frame_type, frame_flags;
	uint32_t stream, frame_left, unopened;
	unsigned char frame[9];
	unsigned int frame_filled;
	char head[HEAD_ROOM];
};

/* ADDRESS of IPv4 or IPv6 with a port, or the path of a Unix socket. 0: it is none of them. */
static inline int parse_place(const char *address, unsigned short port, struct place *place)
{
	struct sockaddr_in *four = (void *)&place->address;
	struct sockaddr_in6 *six = (void *)&place->address;
	struct sockaddr_un *local = (void *)&place->address;

	memset(place, 0, sizeof(*place));
	if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		place->size = sizeof(*four);
	} else if (inet_pton(AF_INET6, address, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		place->size = sizeof(*six);
	} else if (address[0] == '/' && strlen(address) < sizeof(local->sun_path)) {
		local->sun_family = AF_UNIX;
		strcpy(local->sun_path, address);
		place->size = sizeof(*local);
	}
	return place->size > 0;
}

/* 0, or what failed. */
static inline const char *open_exchange(struct exchange *one, const struct place *place)
{
	struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
	int at_once = 1;

	memset(one, 0, offsetof(struct exchange, head));
	one->socket = socket(place->address.ss_family, SOCK_STREAM, 0);
	if (one->socket < 0)
		return "socket";
	if (setsockopt(one->socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)))
		return "setsockopt";
	if (connect(one->socket, (const void *)&place->address, place->size))
		return "connect";
	if (place->address.ss_family != AF_UNIX &&
	    setsockopt(one->socket, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once)))
		return "setsockopt";
	return NULL;
}

/* By reset, so that no port is left in TIME_WAIT: there are fewer of them than new connections in a run. */
static inline void close_exchange(struct exchange *one)
{
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	if (one->socket >= 0 && (setsockopt(one->socket, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) || close(one->socket)))
		fail("close");
	one->socket = -1;
}

/* 0, or what failed. */
static inline const char *send_request(struct exchange *one, const char *request, size_t length, int64_t since)
{
	one->since = since;
	one->head_filled = one->body_seen = 0;
	one->head_done = 0;
	return send(one->socket, request, length, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)length ? NULL : "send";
}

/* Whether a head, ended by 0, says 200 and that exactly `size` bytes follow. */
static inline int is_head_right(const char *head, size_t size)
{
	const char *length = strcasestr(head, "\r\ncontent-length:");

	return strncmp(head, "HTTP/1.1 200 ", 13) == 0 && length && strtoul(length + 17, NULL, 10) == size;
}

/* Looks at the outer bytes of a piece of the body. */
static inline int is_piece_right(const struct exchange *one, const char *piece, size_t count, size_t size)
{
	return one->body_seen + count <= size && piece[0] == body_byte(one->body_seen) &&
	       piece[count - 1] == body_byte(one->body_seen + count - 1);
}

/* Takes what came. 1: the answer is complete, 0: there is more to come, -1: it is wrong. */
static inline int take_piece(struct exchange *one, const char *piece, size_t count, size_t size)
{
	if (!one->head_done) {
		size_t room = HEAD_ROOM - 1 - one->head_filled, taken = count < room ? count : room, before = one->head_filled;
		char *end;

		memcpy(one->head + before, piece, taken);
		one->head_filled += taken;
		end = memmem(one->head, one->head_filled, "\r\n\r\n", 4);
		if (!end)
			return one->head_filled == HEAD_ROOM - 1 ? -1 : 0;
		end[2] = 0;
		one->head_done = 1;
		if (!is_head_right(one->head, size))
			return -1;
		taken = (size_t)(end - one->head) + 4 - before;
		piece += taken;
		count -= taken;
	}
	if (count > 0 && !is_piece_right(one, piece, count, size))
		return -1;
	one->body_seen += count;
	return one->body_seen == size;
}
