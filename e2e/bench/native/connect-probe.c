/*
 * Times connect(). Says with a single 0 that it runs; from then on each line on standard input is a task: "tcp|udp
 * ADDRESS PORT COUNT". Its answer on standard output is 32-bit numbers in the machine's order: 0 and the COUNT
 * durations in nanoseconds, or the errno of the first call that failed and nothing else. Every call is on a new
 * socket; making and closing it is not part of the time.
 */
#include "wire.h"
#include <stdint.h>
#include <time.h>

#define MOST 100000

struct task {
	int type; /* SOCK_STREAM, SOCK_DGRAM */
	int count;
	struct sockaddr_storage peer;
	socklen_t peer_size;
};

static int parse(const char *line, struct task *task)
{
	char kind[4], address[INET6_ADDRSTRLEN];
	unsigned short port;
	struct sockaddr_in *four = (struct sockaddr_in *)&task->peer;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&task->peer;

	memset(task, 0, sizeof(*task));
	if (sscanf(line, "%3s %45s %hu %d", kind, address, &port, &task->count) != 4)
		return 0;
	task->type = strcmp(kind, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM;
	if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		task->peer_size = sizeof(*four);
	} else if (inet_pton(AF_INET6, address, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		task->peer_size = sizeof(*six);
	}
	return task->peer_size > 0 && task->count > 0 && task->count <= MOST;
}

static uint64_t nanoseconds(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now))
		fail("clock_gettime");
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/*
 * A byte asks the server to reset the connection: once that is seen the server is idle again, and the next call finds
 * it as this one did. Without the byte, the reset could overtake the return of connect().
 */
static int end_connection(int socket)
{
	char byte = 0;

	if (send(socket, &byte, 1, MSG_NOSIGNAL) != 1)
		return errno;
	while (recv(socket, &byte, 1, 0) < 0 && errno == EINTR)
		;
	return 0;
}

/* 0, or the errno of what failed. */
static int time_one(const struct task *task, uint32_t *duration)
{
	int one = socket(task->peer.ss_family, task->type, 0), error = 0;
	uint64_t before, after;

	if (one < 0)
		return errno;
	before = nanoseconds();
	if (connect(one, (const struct sockaddr *)&task->peer, task->peer_size))
		error = errno;
	after = nanoseconds();
	if (!error && task->type == SOCK_STREAM)
		error = end_connection(one);
	if (close(one) && !error)
		error = errno;
	*duration = after - before > UINT32_MAX ? UINT32_MAX : (uint32_t)(after - before);
	return error;
}

static void say(const uint32_t *words, size_t count)
{
	if (fwrite(words, sizeof(*words), count, stdout) != count || fflush(stdout))
		fail("standard output");
}

int main(void)
{
	static uint32_t answer[1 + MOST];
	char line[128];
	struct task task;

	say(answer, 1);
	while (fgets(line, sizeof(line), stdin)) {
		if (!parse(line, &task)) {
			fprintf(stderr, "no task: %s", line);
			return 2;
		}
		answer[0] = 0;
		for (int i = 0; i < task.count && !answer[0]; i++)
			answer[0] = (uint32_t)time_one(&task, &answer[1 + i]);
		say(answer, answer[0] ? 1 : 1 + (size_t)task.count);
	}
	return 0;
}
