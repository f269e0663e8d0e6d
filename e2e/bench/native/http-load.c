/*
 * Sends GET requests and looks at their answers, with one thread. Each line on standard input is a task:
 *
 *   MODE ADDRESS PORT CONNECTIONS SIZE WARM_MS MEASURE_MS RATE CPU HEADS
 *
 * MODE closed: each connection sends its next request when it has its answer; open: RATE requests a second in all, each at
 * a time fixed beforehand, from which its latency counts, also if all connections are busy then; connects: as closed, each
 * request on a new connection; hold: one request on each connection, which all stay open until the next line. ADDRESS may
 * be a Unix socket's path. SIZE: bytes of each answer's body. CPU: whose busy time is told, -1 for all together. HEADS: a
 * file of requests that are sent in turn, all for SIZE bytes; "-": one that asks for them, "http2": the same
 * over HTTP/2.
 * What it found is a line of JSON on standard output: of the time measured, and how many requests it sent in all.
 */
#define _GNU_SOURCE
#include "clock.h"
#include "http2-exchange.h"
#include "histogram.h"
#include "load-task.h"
#include <poll.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* One task's doing: what was sent and answered, and what of it fell into the time measured. */
struct run {
	struct task task;
	struct requests requests;
	int events;
	int64_t start, from, to;
	/* Whether the time measured has begun, and is over. */
	int began, ended;
	uint64_t sent, answered, connected, scheduled, measured;
	long long busy;
	struct histogram latency;
	/* Connections without a request. */
	int idle_count;
	char error[256];
};

static struct exchange exchanges[MOST_CONNECTIONS];
static int idle[MOST_CONNECTIONS];
static struct run run;

static void give_up(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	if (!run.error[0])
		vsnprintf(run.error, sizeof(run.error), format, values);
	va_end(values);
}

static void open_one(int index)
{
	struct exchange *one = &exchanges[index];
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = (unsigned int)index };
	const char *failed = open_exchange(one, &run.task.place);

	if (!failed && run.task.http2)
		failed = greet_http2(one);

	if (failed) {
		give_up("%s: %s", failed, strerror(errno));
		return;
	}
	run.connected++;
	if (epoll_ctl(run.events, EPOLL_CTL_ADD, one->socket, &event))
		fail("epoll_ctl");
}

static void send_on(int index, int64_t since)
{
	struct exchange *one = &exchanges[index];
	const char *failed;

	if (run.task.http2) {
		failed = send_http2_request(one, run.task.size, since);
	} else {
		size_t length;
		const char *request = next_request(&run.requests, &length);

		failed = send_request(one, request, length, since);
	}

	if (failed)
		give_up("%s: %s", failed, strerror(errno));
	run.sent++;
}

static int64_t due(uint64_t number)
{
	return run.start + (int64_t)(number * SECOND / (uint64_t)run.task.rate);
}

/* Starts what is to be started now: what a schedule says, or a request on every connection that has none. */
static void send_due(int64_t time)
{
	while (run.idle_count > 0 && !run.error[0]) {
		int index = idle[run.idle_count - 1];
		int64_t since = time;

		if (run.task.mode == OPEN) {
			since = due(run.scheduled);
			if (since > time || since >= run.to)
				return;
			run.scheduled++;
		} else if (run.ended) {
			return;
		} else if (run.task.mode == CONNECTS) {
			since = now();
			open_one(index);
		}
		run.idle_count--;
		send_on(index, since);
	}
}

static void answered(int index, int64_t time)
{
	struct exchange *one = &exchanges[index];
	int counts = run.task.mode == OPEN ? one->since >= run.from : run.began && !run.ended;

	if (counts) {
		record(&run.latency, time - one->since);
		run.measured++;
	}
	run.answered++;
	one->since = 0;
	if (run.task.mode == CONNECTS)
		close_exchange(one);
	idle[run.idle_count++] = index;
}

static void look_at(int index)
{
	struct exchange *one = &exchanges[index];
	int taken = receive_answer(one, run.task.size);

	if (taken == -2)
		give_up("a connection ended%s: %s", one->since ? " before its answer" : "", errno ? strerror(errno) : "closed");
	else if (taken == -1)
		give_up("a wrong answer, after %zu bytes of its body: %.80s", one->body_seen, one->head);
	else if (taken == 1)
		answered(index, now());
}

/* How long nothing is to be done but to wait for answers. */
static int64_t until_next(int64_t time)
{
	int64_t next = !run.began ? run.from : time < run.to ? run.to : time + PATIENCE_SECONDS * SECOND;

	if (run.task.mode == OPEN && run.idle_count > 0 && due(run.scheduled) < next && due(run.scheduled) < run.to)
		next = due(run.scheduled);
	return next > time ? next - time : 0;
}

static int is_all_answered(void)
{
	return run.sent == run.answered && (run.task.mode != OPEN || due(run.scheduled) >= run.to);
}

/* Begins and ends the time measured. It is as long as it really was, and lasts until there is an answer. */
static void keep_time(int64_t time)
{
	if (!run.began && time >= run.from) {
		run.began = 1;
		run.busy = busy_time(run.task.cpu);
		if (run.task.mode != OPEN)
			run.from = time;
	}
	if (run.began && !run.ended && time >= run.to && (run.measured > 0 || run.task.mode == OPEN)) {
		run.ended = 1;
		run.busy = busy_time(run.task.cpu) - run.busy;
		if (run.task.mode != OPEN)
			run.to = time;
	}
}

/* Sends until the time is over, and waits for the last answers. */
static void drive(void)
{
	struct epoll_event ready[64];
	int64_t last = run.start;

	while (!run.error[0]) {
		int64_t time = now(), wait;
		struct timespec patience;
		int count;

		keep_time(time);
		send_due(time);
		if (run.ended && is_all_answered())
			return;
		wait = until_next(time);
		patience = (struct timespec){ .tv_sec = wait / SECOND, .tv_nsec = wait % SECOND };
		count = epoll_pwait2(run.events, ready, 64, &patience, NULL);
		if (count < 0 && errno != EINTR)
			fail("epoll_pwait2");
		for (int i = 0; i < count; i++)
			look_at((int)ready[i].data.u32);
		if (count > 0)
			last = time;
		else if (run.sent > run.answered && time - last > PATIENCE_SECONDS * SECOND)
			give_up("no answer for %d s; %llu are missing", PATIENCE_SECONDS,
				(unsigned long long)(run.sent - run.answered));
	}
}

static void tell_run(void)
{
	const struct histogram *found = &run.latency;

	if (run.error[0])
		printf("{\"error\":\"");
	for (const char *c = run.error; *c; c++)
		printf(*c >= ' ' && *c != '"' && *c != '\\' ? "%c" : " ", *c);
	if (run.error[0])
		printf("\"}\n");
	else
		printf("{\"sent\":%llu,\"connections\":%llu,\"measured\":%llu,\"nanoseconds\":%lld,\"busyNanoseconds\":%lld,"
		       "\"latency\":{\"mean\":%llu,\"p50\":%llu,\"p99\":%llu,\"p999\":%llu,\"most\":%llu}}\n",
		       (unsigned long long)run.sent, (unsigned long long)run.connected, (unsigned long long)run.measured,
		       (long long)(run.to - run.from), run.busy,
		       (unsigned long long)(found->count ? found->sum / found->count : 0),
		       (unsigned long long)quantile(found, 0.5), (unsigned long long)quantile(found, 0.99),
		       (unsigned long long)quantile(found, 0.999), (unsigned long long)found->most);
	if (fflush(stdout))
		fail("standard output");
}

/* One exchange on each connection, then nothing until the next line. */
static void hold(void)
{
	for (int i = 0; i < run.task.connections && !run.error[0]; i++) {
		struct pollfd one = { .events = POLLIN };

		open_one(i);
		send_on(i, now());
		one.fd = exchanges[i].socket;
		while (!run.error[0] && exchanges[i].since) {
			if (poll(&one, 1, PATIENCE_SECONDS * 1000) == 1)
				look_at(i);
			else
				give_up("no answer on connection %d for %d s", i + 1, PATIENCE_SECONDS);
		}
	}
	if (!run.error[0]) {
		char line[128];

		tell_run();
		if (!fgets(line, sizeof(line), stdin))
			exit(0);
	}
}

static void do_task(const struct task *task)
{
	memset(&run, 0, sizeof(run));
	run.task = *task;
	run.events = epoll_create1(0);
	if (run.events < 0)
		fail("epoll_create1");
	if (strcmp(task->heads, "-") == 0 || task->http2)
		own_request(&run.requests, task->size);
	else if (!read_requests(&run.requests, task->heads))
		give_up("%s: no requests", task->heads);
	for (int i = 0; i < task->connections; i++) {
		exchanges[i].socket = -1;
		if (!run.error[0] && (task->mode == CLOSED || task->mode == OPEN))
			open_one(i);
		if (task->mode != HOLD)
			idle[run.idle_count++] = i;
	}
	run.start = now();
	run.from = run.start + task->warm;
	run.to = run.from + task->measure;
	if (task->mode == HOLD)
		hold();
	else
		drive();
	for (int i = 0; i < task->connections; i++)
		close_exchange(&exchanges[i]);
	if (close(run.events))
		fail("close");
	tell_run();
	free_requests(&run.requests);
}

int main(void)
{
	struct rlimit files = { MOST_CONNECTIONS + 16, MOST_CONNECTIONS + 16 };
	struct task task;
	char line[512];

	/* Where it may not be raised, what there is must do. */
	(void)setrlimit(RLIMIT_NOFILE, &files);
	/* Timers are late by 50 microseconds otherwise. */
	if (prctl(PR_SET_TIMERSLACK, 1))
		fail("prctl");
	while (fgets(line, sizeof(line), stdin)) {
		if (!parse_task(line, &task)) {
			fprintf(stderr, "no task: %s", line);
			return 2;
		}
		do_task(&task);
	}
	return 0;
}
