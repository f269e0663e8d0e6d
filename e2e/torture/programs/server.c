/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers requests as their header X-Answer orders it: "SIZE FORM PIECES", FORM one of
 *   l  with Content-Length     c  chunked     e  ends with the connection     f  Content-Length, and a FIN right behind it
 *   b  before the request's body is read; then the connection ends
 * PIECES 0: in one call where it fits; else in pieces of up to so many bytes. Bodies are streams of the key in X-Key.
 * A line on standard input is answered with what was written so far: {"written": BYTES}.
 * Usage: server NAME PORT
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "stream.h"

enum { ROOM = 1 << 17, HEAD_ROOM = 1 << 14 };

static const char *name;
static atomic_ullong written;

struct connection {
	int fd;
	size_t at, end;
	unsigned char in[ROOM], out[ROOM];
};

struct request {
	uint64_t key, answer_size, pieces;
	char form;
	int is_head, is_chunked, closes;
	/* Of its body: as the request is framed, and as its caller meant it. */
	uint64_t length, meant;
	/* What was wrong with its body: the place from 1 on. */
	uint64_t wrong_at;
};

static int refill(struct connection *connection)
{
	ssize_t got = recv(connection->fd, connection->in, ROOM, 0);
	connection->at = 0;
	connection->end = got > 0 ? got : 0;
	return got > 0;
}

static int read_line(struct connection *connection, char *line, size_t room)
{
	for (size_t length = 0;;) {
		if (connection->at == connection->end && !refill(connection))
			return -1;
		char byte = connection->in[connection->at++];
		if (byte == '\n') {
			line[length > 0 ? length - 1 : 0] = '\0';
			return 0;
		}
		if (length + 1 == room)
			return -1;
		line[length++] = byte;
	}
}

static int check_body(struct connection *connection, struct request *request, uint64_t *place, uint64_t size)
{
	while (size > 0) {
		if (connection->at == connection->end && !refill(connection))
			return -1;
		size_t part = connection->end - connection->at;
		if (part > size)
			part = size;
		long wrong = wrong_in_stream(request->key, *place, connection->in + connection->at, part);
		if (wrong >= 0 && request->wrong_at == 0)
			request->wrong_at = *place + wrong + 1;
		connection->at += part;
		*place += part;
		size -= part;
	}
	return 0;
}

static int read_body(struct connection *connection, struct request *request)
{
	uint64_t place = 0;
	char line[256];
	while (request->is_chunked) {
		if (read_line(connection, line, sizeof(line)) != 0)
			return -1;
		uint64_t size = strtoull(line, NULL, 16);
		if (size > 0 && check_body(connection, request, &place, size) != 0)
			return -1;
		if (read_line(connection, line, sizeof(line)) != 0)
			return -1;
		if (size == 0)
			break;
	}
	if (!request->is_chunked && check_body(connection, request, &place, request->length) != 0)
		return -1;
	if (place != request->meant && request->wrong_at == 0)
		request->wrong_at = place + 1;
	return 0;
}

static void read_field(struct request *request, const char *line)
{
	if (strncasecmp(line, "X-Key: ", 7) == 0)
		request->key = strtoull(line + 7, NULL, 16);
	else if (strncasecmp(line, "X-Answer: ", 10) == 0)
		sscanf(line + 10, "%lu %c %lu", &request->answer_size, &request->form, &request->pieces);
	else if (strncasecmp(line, "X-Length: ", 10) == 0)
		request->meant = strtoull(line + 10, NULL, 10);
	else if (strncasecmp(line, "Content-Length: ", 16) == 0)
		request->length = strtoull(line + 16, NULL, 10);
	else if (strncasecmp(line, "Transfer-Encoding: chunked", 26) == 0)
		request->is_chunked = 1;
	else if (strcasecmp(line, "Connection: close") == 0)
		request->closes = 1;
}

static int read_head(struct connection *connection, struct request *request)
{
	char line[HEAD_ROOM];
	*request = (struct request){.form = 'l'};
	if (read_line(connection, line, sizeof(line)) != 0)
		return -1;
	request->is_head = strncmp(line, "HEAD ", 5) == 0;
	for (;;) {
		if (read_line(connection, line, sizeof(line)) != 0)
			return -1;
		if (line[0] == '\0')
			return 0;
		read_field(request, line);
	}
}

/* In pieces if that is asked for, with a pause behind some. */
static int write_all(int fd, const unsigned char *bytes, size_t size, uint64_t pieces, struct chance *chance)
{
	while (size > 0) {
		size_t part = pieces == 0 ? size : 1 + below(chance, pieces);
		ssize_t sent = send(fd, bytes, part < size ? part : size, MSG_NOSIGNAL);
		if (sent <= 0)
			return -1;
		bytes += sent;
		size -= sent;
		atomic_fetch_add(&written, sent);
		if (pieces > 0 && happens(chance, 20))
			usleep(below(chance, 2000));
	}
	return 0;
}

/* As many servers do: the head in a call of its own, with a pause behind some. */
static int write_head_alone(struct connection *connection, size_t *used, struct chance *chance)
{
	if (write_all(connection->fd, connection->out, *used, 0, chance) != 0)
		return -1;
	*used = 0;
	if (happens(chance, 500))
		usleep(below(chance, 2000));
	return 0;
}

/* Small answers leave in one call with their heads, but for some. */
static int answer(struct connection *connection, const struct request *request)
{
	unsigned char *out = connection->out;
	struct chance chance = {request->key};
	uint64_t size = request->answer_size, place = 0;
	int ends = request->form == 'e' || request->closes;
	size_t used = snprintf((char *)out, ROOM, "HTTP/1.1 200 OK\r\nX-Pod: %s\r\nX-Key: %016lx\r\nX-Wrong: %lu\r\n", name,
			       request->key, request->wrong_at);
	if (request->form == 'c')
		used += sprintf((char *)out + used, "Transfer-Encoding: chunked\r\n");
	else if (request->form != 'e')
		used += sprintf((char *)out + used, "Content-Length: %lu\r\n", size);
	used += sprintf((char *)out + used, ends ? "Connection: close\r\n\r\n" : "\r\n");
	if (happens(&chance, 200) && write_head_alone(connection, &used, &chance) != 0)
		return -1;
	while (!request->is_head && place < size) {
		uint64_t part = size - place, room = ROOM - used - 64;
		if (part > room)
			part = room;
		if (request->form == 'c') {
			part = 1 + below(&chance, part);
			used += sprintf((char *)out + used, "%lx\r\n", part);
		}
		fill_stream(answer_key(request->key), place, out + used, part);
		used += part;
		place += part;
		if (request->form == 'c')
			used += sprintf((char *)out + used, "\r\n");
		if (used + 256 > ROOM) {
			if (write_all(connection->fd, out, used, request->pieces, &chance) != 0)
				return -1;
			used = 0;
		}
	}
	if (request->form == 'c' && !request->is_head)
		used += sprintf((char *)out + used, "0\r\n\r\n");
	if (write_all(connection->fd, out, used, request->pieces, &chance) != 0)
		return -1;
	return ends || request->form == 'f' || request->form == 'b' ? -1 : 0;
}

static void *serve(void *given)
{
	struct connection *connection = given;
	struct request request;
	for (;;) {
		if (read_head(connection, &request) != 0)
			break;
		if (request.form != 'b' && read_body(connection, &request) != 0)
			break;
		if (answer(connection, &request) != 0)
			break;
	}
	close(connection->fd);
	free(connection);
	return NULL;
}

static void *tell(void *unused)
{
	char line[64];
	while (fgets(line, sizeof(line), stdin) != NULL) {
		printf("{\"written\":%llu}\n", atomic_load(&written));
		fflush(stdout);
	}
	return unused;
}

static void start(void *(*function)(void *), void *given)
{
	pthread_t thread;
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 1 << 17);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attributes, function, given) != 0) {
		perror("server: no thread");
		_exit(1);
	}
}

int main(int count, char **words)
{
	if (count != 3) {
		fprintf(stderr, "usage: server NAME PORT\n");
		return 2;
	}
	name = words[1];
	signal(SIGPIPE, SIG_IGN);
	int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(atoi(words[2]))};
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&any, sizeof(any)) != 0 || listen(listener, 4096) != 0) {
		perror("server: cannot listen");
		return 1;
	}
	start(tell, NULL);
	puts("listening");
	fflush(stdout);
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0) {
			perror("server: cannot accept");
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		struct connection *connection = malloc(sizeof(*connection));
		if (connection == NULL)
			return 1;
		connection->fd = fd;
		connection->at = connection->end = 0;
		start(serve, connection);
	}
}
