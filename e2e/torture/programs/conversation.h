/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller does on one connection. */
#pragma once
#include "exchange.h"

enum { MOST_AT_ONCE = 8 };

static struct {
	uint64_t seed, most_bytes;
	int splices, pause_ms, port, host_count;
	char **hosts;
} orders;

/* Odd while connections may be cut. */
static atomic_uint cuts;
static atomic_int is_over;
static atomic_ullong begun, right, abandoned, cut, refused, wrong, hung, connections, bytes;

struct caller {
	uint64_t number, exchanges, made;
	/* Sends small requests whole, and asks for small answers, as most callers do. */
	int is_plain;
	unsigned cuts_before;
	/* The same for all its life. */
	struct chance chance;
	struct connection connection;
};

static uint64_t some_size(struct chance *chance)
{
	if (happens(chance, 100))
		return 0;
	if (happens(chance, 920))
		return log_uniform(chance, 65536);
	return log_uniform(chance, happens(chance, 8) ? orders.most_bytes : orders.most_bytes < 1 << 21 ? orders.most_bytes : 1 << 21);
}

static struct exchange plan(struct caller *caller)
{
	static const char *const methods[] = {"GET", "HEAD", "DELETE", "POST", "POST", "PUT"};
	struct chance *chance = &caller->chance;
	struct exchange exchange = {
		.key = mix(orders.seed ^ mix(caller->number << 40 | caller->exchanges++)),
		.method = methods[below(chance, 6)],
		.target = happens(chance, 15) ? RUDE : below(chance, RUDE),
		.padding = happens(chance, 100) ? log_uniform(chance, 4000) : 0,
		.answer_size = some_size(chance),
		.pieces = happens(chance, 150) ? log_uniform(chance, 65536) : 0,
		.form = "llllllce"[below(chance, 8)],
		.closes = happens(chance, 20),
	};
	exchange.has_body = exchange.method[0] == 'P';
	exchange.size = exchange.has_body ? some_size(chance) : 0;
	exchange.is_chunked = exchange.has_body && happens(chance, 200);
	if (exchange.pieces > 0 && exchange.answer_size / exchange.pieces > 2000)
		exchange.pieces = 0;
	if (exchange.form == 'e' && !happens(chance, 200))
		exchange.form = 'l';
	if (caller->is_plain) {
		exchange.size %= 30000;
		exchange.answer_size %= 30000;
		exchange.is_chunked = exchange.pieces = 0;
		exchange.form = 'l';
	}
	if (exchange.target == RUDE)
		exchange.form = "lffb"[below(chance, 4)];
	return exchange;
}

static void count_right(const struct exchange *exchange)
{
	atomic_fetch_add(&right, 1);
	atomic_fetch_add(&bytes, exchange->size + exchange->answer_size);
}

/* One request, then its answer. */
static int one(struct caller *caller, int half_closes)
{
	struct connection *connection = &caller->connection;
	struct exchange exchange = plan(caller);
	exchange.closes &= !half_closes;
	connection->is_tainted |= exchange.target == RUDE;
	if (send_request(connection, &exchange, UINT64_MAX) != 0)
		return -1;
	if (half_closes && shutdown(connection->fd, SHUT_WR) != 0)
		return fail(connection, CUT, "shutdown: %s", strerror(errno));
	exchange.closes |= half_closes;
	int ended = read_answer(connection, &exchange);
	if (ended >= 0)
		count_right(&exchange);
	return ended;
}

static void spin(uint64_t nanoseconds)
{
	for (double end = seconds() + nanoseconds / 1e9; seconds() < end;)
		continue;
}

/* Requests close behind each other, or in one send, to different targets; their answers come in their order. */
static int pipelined(struct caller *caller)
{
	struct connection *connection = &caller->connection;
	struct chance *chance = &caller->chance;
	struct exchange exchanges[MOST_AT_ONCE];
	size_t count = happens(chance, 800) ? 2 : 2 + below(chance, MOST_AT_ONCE - 1), used = 0;
	int together = happens(chance, 250);
	for (size_t i = 0; i < count; i++) {
		exchanges[i] = plan(caller);
		exchanges[i].target = i == 0 ? below(chance, RUDE) : (exchanges[i - 1].target + 1) % RUDE;
		exchanges[i].size %= together ? 8192 : 65536;
		exchanges[i].answer_size %= 65536;
		exchanges[i].closes = 0;
		exchanges[i].form = "lllc"[below(chance, 4)];
		if (together) {
			used += write_head(&exchanges[i], connection->out + used);
			used = write_body(&exchanges[i], &connection->chance, connection->out, used);
			continue;
		}
		if (i > 0)
			spin(below(chance, 40000));
		if (send_request(connection, &exchanges[i], UINT64_MAX) != 0)
			return -1;
	}
	if (together && send_bytes(connection, connection->out, used, 0) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (read_answer(connection, &exchanges[i]) != 0)
			return fail(connection, CUT, "the connection ended behind answer %zu of %zu", i + 1, count);
		count_right(&exchanges[i]);
	}
	return 0;
}

/* Goes away in a request, before its answer, or in it. */
static int leaves(struct caller *caller)
{
	struct connection *connection = &caller->connection;
	struct exchange exchange = plan(caller);
	struct answer answer;
	uint64_t when = below(&caller->chance, 4), place = 0;
	connection->is_tainted = 1;
	if (send_request(connection, &exchange, when == 0 ? 1 + below(&caller->chance, 300 + exchange.size) : UINT64_MAX) != 0)
		return -1;
	if (when == 1)
		usleep(below(&caller->chance, 500));
	if (when >= 2 && read_head(connection, &exchange, &answer) != 0)
		return -1;
	if (when >= 2 && answer.has_length && answer.length > 0 && exchange.method[0] != 'H' &&
	    check_bytes(connection, answer_key(exchange.key), &place, 1 + below(&caller->chance, answer.length), 0) != 0)
		return -1;
	atomic_fetch_add(&abandoned, 1);
	return 1;
}

/* Nothing comes of itself between an answer and the next request. */
static int is_quiet(struct connection *connection)
{
	char byte;
	if (connection->at < connection->end)
		return fail(connection, WRONG, "%zu bytes behind an answer", connection->end - connection->at);
	ssize_t got = recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	if (got > 0)
		return fail(connection, WRONG, "bytes behind an answer");
	if (got == 0 || errno != EAGAIN)
		return fail(connection, CUT, "the end behind an answer");
	return 0;
}

/* To what is started anew; see the usage. */
static void leave_processors(void)
{
	if (orders.pause_ms > 0 && atomic_load(&cuts) & 1)
		usleep(orders.pause_ms * 1000);
}

/* What is done on one connection; -1: trouble. */
static int converse(struct caller *caller)
{
	struct chance *chance = &caller->chance;
	uint64_t length = log_uniform(chance, 64);
	int half_closes = happens(chance, 80), leaving = happens(chance, 60);
	for (uint64_t i = 0; i < length && !atomic_load(&is_over); i++) {
		int is_last = i + 1 == length;
		atomic_fetch_add(&begun, 1);
		int ended = is_last && leaving	      ? leaves(caller)
			    : happens(chance, 150) ? pipelined(caller)
						     : one(caller, is_last && half_closes);
		if (ended != 0)
			return ended;
		if (!caller->connection.is_tainted && is_quiet(&caller->connection) != 0)
			return -1;
		if (happens(chance, 30))
			usleep(below(chance, 20000));
		leave_processors();
	}
	return 0;
}
