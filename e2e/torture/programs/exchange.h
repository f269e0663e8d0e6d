/* SPDX-License-Identifier: Apache-2.0 */
/* A request, and its answer, of which every byte is checked. */
#pragma once
#include <strings.h>
#include "sending.h"

/* Where requests go by the rule of the service, and how the names of the pods begin that may answer. */
static const struct target {
	const char *path, *fields, *pods[2];
} targets[] = {
	{"/v1/", "", {"v1", "v1"}},
	{"/v2/", "", {"v2", "v2"}},
	{"/any/", "", {"v1", "v2"}},
	{"/field/", "X-To: v2\r\n", {"v2", "v2"}},
	{"/rude/", "", {"rude", "rude"}},
};
enum { RUDE = 4, TARGETS = 5 };

struct exchange {
	uint64_t key, size, answer_size, pieces;
	const char *method;
	unsigned target, padding;
	/* See server.c. */
	char form;
	/* The caller says so: by a field, or as it ends its side. */
	int closes;
	int has_body, is_chunked;
	/* Of a request under way: its bytes so far. */
	uint64_t place;
	int is_whole;
};

struct answer {
	int status, is_chunked, closes, is_ours;
	uint64_t length;
	int has_length;
};

static inline size_t write_head(const struct exchange *exchange, unsigned char *out)
{
	const struct target *target = &targets[exchange->target];
	char *at = (char *)out;
	at += sprintf(at, "%s %s%lx?x=%u HTTP/1.1\r\nHost: torture\r\n%s", exchange->method, target->path,
		      exchange->key >> 48, exchange->padding, target->fields);
	at += sprintf(at, "X-Key: %016lx\r\nX-Answer: %lu %c %lu\r\n", exchange->key, exchange->answer_size, exchange->form,
		      exchange->pieces);
	if (exchange->padding > 0)
		at += sprintf(at, "X-Padding: %0*d\r\n", exchange->padding, 7);
	if (exchange->has_body)
		at += sprintf(at, "X-Length: %lu\r\n", exchange->size);
	if (exchange->is_chunked)
		at += sprintf(at, "Transfer-Encoding: chunked\r\n");
	else if (exchange->has_body)
		at += sprintf(at, "Content-Length: %lu\r\n", exchange->size);
	at += sprintf(at, exchange->closes ? "Connection: close\r\n\r\n" : "\r\n");
	return at - (char *)out;
}

/* More of the body behind `used` bytes; the bytes that `out` holds then, ROOM at most. */
static inline size_t write_body(struct exchange *exchange, struct chance *chance, unsigned char *out, size_t used)
{
	while (exchange->place < exchange->size && used + 256 < ROOM) {
		uint64_t part = exchange->size - exchange->place, room = ROOM - used - 64;
		if (part > room)
			part = room;
		if (exchange->is_chunked) {
			part = log_uniform(chance, part);
			used += sprintf((char *)out + used, "%lx\r\n", part);
		}
		fill_stream(exchange->key, exchange->place, out + used, part);
		used += part;
		exchange->place += part;
		if (exchange->is_chunked)
			used += sprintf((char *)out + used, "\r\n");
	}
	if (exchange->place == exchange->size) {
		exchange->is_whole = 1;
		if (exchange->is_chunked)
			used += sprintf((char *)out + used, "0\r\n\r\n");
	}
	return used;
}

/* Sends it whole, or as far as `part` bytes of it. */
static inline int send_request(struct connection *connection, struct exchange *exchange, uint64_t part)
{
	size_t head = write_head(exchange, connection->out);
	size_t used = write_body(exchange, &connection->chance, connection->out, head);
	uint64_t gone = 0;
	for (;;) {
		if (gone + used > part)
			return send_bytes(connection, connection->out, part - gone, 0);
		if (send_message(connection, connection->out, used, head < used ? head : used) != 0)
			return -1;
		gone += used;
		if (exchange->is_whole)
			return 0;
		used = write_body(exchange, &connection->chance, connection->out, 0);
		head = used / 2;
	}
}

static inline int read_line(struct connection *connection, char *line, size_t room, const char *where)
{
	for (size_t length = 0;;) {
		int more = refill(connection, 0);
		if (more <= 0)
			return more < 0 ? -1 : fail(connection, CUT, "the end %s, after %zu bytes of a line", where, length);
		char byte = connection->in[connection->at++];
		if (byte == '\n') {
			line[length > 0 ? length - 1 : 0] = '\0';
			return 0;
		}
		if (length + 1 == room)
			return fail(connection, WRONG, "%s: a line without an end: %.60s", where, line);
		line[length++] = byte;
		line[length] = '\0';
	}
}

static inline int is_pod_of(const struct exchange *exchange, const char *pod)
{
	const struct target *target = &targets[exchange->target];
	return strncmp(pod, target->pods[0], strlen(target->pods[0])) == 0 ||
	       strncmp(pod, target->pods[1], strlen(target->pods[1])) == 0;
}

static inline int read_field(struct connection *connection, const struct exchange *exchange, const char *line,
			     struct answer *answer)
{
	uint64_t wrong_at;
	if (strncasecmp(line, "X-Key: ", 7) == 0) {
		answer->is_ours = 1;
		if (strtoull(line + 7, NULL, 16) != exchange->key)
			return fail(connection, WRONG, "the answer to %s came for %016lx", line + 7, exchange->key);
	} else if (strncasecmp(line, "X-Pod: ", 7) == 0) {
		/* A connection that was made while there was no relay goes to any pod. */
		if (!is_pod_of(exchange, line + 7) && !connection->is_tainted)
			return fail(connection, WRONG, "pod %s answered %s", line + 7, targets[exchange->target].path);
	} else if (sscanf(line, "X-Wrong: %lu", &wrong_at) == 1) {
		if (wrong_at != 0 && exchange->form != 'b')
			return fail(connection, WRONG, "the server found byte %lu of the request wrong", wrong_at - 1);
	} else if (strncasecmp(line, "Content-Length: ", 16) == 0) {
		answer->has_length = 1;
		answer->length = strtoull(line + 16, NULL, 10);
	} else if (strncasecmp(line, "Transfer-Encoding: chunked", 26) == 0) {
		answer->is_chunked = 1;
	} else if (strcasecmp(line, "Connection: close") == 0) {
		answer->closes = 1;
	}
	return 0;
}

static inline int read_head(struct connection *connection, const struct exchange *exchange, struct answer *answer)
{
	char line[512];
	*answer = (struct answer){0};
	if (read_line(connection, line, sizeof(line), "before an answer") != 0)
		return -1;
	if (sscanf(line, "HTTP/1.1 %d ", &answer->status) != 1)
		return fail(connection, WRONG, "no answer begins with %.60s", line);
	for (;;) {
		if (read_line(connection, line, sizeof(line), "in an answer's head") != 0)
			return -1;
		if (line[0] == '\0')
			break;
		if (read_field(connection, exchange, line, answer) != 0)
			return -1;
	}
	if (answer->status != 200 || !answer->is_ours)
		return fail(connection, REFUSED, "%d that no server gave", answer->status);
	return 0;
}

/* So many bytes of the body; the end in between is trouble unless `to_end`. */
static inline int check_bytes(struct connection *connection, uint64_t key, uint64_t *place, uint64_t size, int to_end)
{
	while (size > 0) {
		int more = refill(connection, to_end ? 0 : size);
		if (more == 0 && to_end)
			return 0;
		if (more <= 0)
			return more < 0 ? -1 : fail(connection, CUT, "the end after %lu bytes, %lu before it is due", *place, size);
		size_t part = connection->end - connection->at;
		if (part > size)
			part = size;
		long wrong = wrong_in_stream(key, *place, connection->in + connection->at, part);
		if (wrong >= 0)
			return fail(connection, WRONG, "byte %lu of an answer: \"%.40s\"", *place + wrong,
				    connection->in + connection->at + wrong);
		connection->at += part;
		*place += part;
		size -= part;
	}
	return 0;
}

static inline int check_chunks(struct connection *connection, uint64_t key, uint64_t *place)
{
	char line[64], *rest;
	for (;;) {
		if (read_line(connection, line, sizeof(line), "before a chunk") != 0)
			return -1;
		uint64_t size = strtoull(line, &rest, 16);
		if (rest == line)
			return fail(connection, WRONG, "no chunk begins with %s", line);
		if (size > 0 && check_bytes(connection, key, place, size, 0) != 0)
			return -1;
		if (read_line(connection, line, sizeof(line), "behind a chunk") != 0)
			return -1;
		if (line[0] != '\0')
			return fail(connection, WRONG, "behind a chunk: %s", line);
		if (size == 0)
			return 0;
	}
}

static inline int expect_end(struct connection *connection)
{
	int more = refill(connection, 0);
	if (more > 0)
		return fail(connection, WRONG, "%zu bytes where the end should be: \"%.40s\"", connection->end - connection->at,
			    connection->in + connection->at);
	/* A server that ends with unread bytes of a request resets. */
	return more;
}

static inline int read_body(struct connection *connection, const struct exchange *exchange, const struct answer *answer)
{
	uint64_t place = 0, key = answer_key(exchange->key);
	if (strcmp(exchange->method, "HEAD") == 0)
		return 0;
	int trouble = answer->is_chunked    ? check_chunks(connection, key, &place)
		      : answer->has_length ? check_bytes(connection, key, &place, answer->length, 0)
					    : check_bytes(connection, key, &place, UINT64_MAX, 1);
	if (trouble != 0)
		return -1;
	if (place != exchange->answer_size)
		return fail(connection, answer->has_length || answer->is_chunked ? WRONG : CUT, "an answer of %lu bytes, not of %lu",
			    place, exchange->answer_size);
	return 0;
}

/* 1: the connection has ended, as it should. */
static inline int read_answer(struct connection *connection, const struct exchange *exchange)
{
	struct answer answer;
	if (read_head(connection, exchange, &answer) != 0 || read_body(connection, exchange, &answer) != 0)
		return -1;
	int is_head = strcmp(exchange->method, "HEAD") == 0;
	if (answer.closes && !exchange->closes && exchange->form != 'e')
		return fail(connection, CUT, "an answer says that the connection ends, which nobody asked for");
	if (exchange->closes || answer.closes || (!is_head && !answer.has_length && !answer.is_chunked))
		return expect_end(connection) != 0 ? -1 : 1;
	return 0;
}
