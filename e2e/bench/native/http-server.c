/*
 * An HTTP/1.1 server of one thread: GET /N, or /N/ and more, is answered with a body of N bytes (body.h), anything else
 * with 400 and the end of the connection. Each argument is a place to listen on: a TCP port, IPv4 and IPv6, or the path of a Unix socket.
 * Says "listening" when it does on all. Each line on standard input asks for its counters, told as a line of JSON.
 */
#define _GNU_SOURCE
#include "body.h"
#include "wire.h"
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/un.h>

#define MOST_FILES 65536
#define HEAD_ROOM 8192
#define LISTENS 1
#define CONVERSES 2
#define ASKS 3

struct connection {
	int kind;
	int socket;
	/* What has come of the next request. */
	size_t filled;
	/* What is still to be sent of an answer: its head, then its body. */
	char answer_head[128];
	size_t head_size, body_size, sent;
	int answering;
	char head[HEAD_ROOM];
};

static unsigned long long requests, refused, accepted;
static char body[LARGEST_BODY];
static int events;

static void watch(struct connection *one, unsigned int what, int operation)
{
	struct epoll_event event = { .events = what, .data.ptr = one };

	if (epoll_ctl(events, operation, one->socket, &event))
		fail("epoll_ctl");
}

static struct connection *new_connection(int socket, int kind)
{
	struct connection *one = malloc(sizeof(*one));

	if (!one)
		fail("malloc");
	one->kind = kind;
	one->socket = socket;
	one->filled = 0;
	one->answering = 0;
	watch(one, EPOLLIN, EPOLL_CTL_ADD);
	return one;
}

static void listen_on(const char *place)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_addr = in6addr_any };
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	int is_path = strchr(place, '/') != NULL, both = 0, reuse = 1;
	int server = socket(is_path ? AF_UNIX : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	const struct sockaddr *address = is_path ? (const void *)&local : (const void *)&any;
	socklen_t size = is_path ? sizeof(local) : sizeof(any);

	if (server < 0)
		fail("socket");
	if (is_path) {
		if (strlen(place) >= sizeof(local.sun_path)) {
			errno = ENAMETOOLONG;
			fail(place);
		}
		strcpy(local.sun_path, place);
	} else {
		any.sin6_port = htons((unsigned short)atoi(place));
		if (setsockopt(server, IPPROTO_IPV6, IPV6_V6ONLY, &both, sizeof(both)) ||
		    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse)))
			fail("setsockopt");
	}
	if (bind(server, address, size) || listen(server, 4096))
		fail(place);
	new_connection(server, LISTENS);
}

static void accept_all(int server)
{
	int one, at_once = 1;

	while ((one = accept4(server, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		/* A Unix socket has no such option, and needs none. */
		(void)setsockopt(one, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once));
		accepted++;
		new_connection(one, CONVERSES);
	}
	if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		fail("accept");
}

static void drop(struct connection *one)
{
	if (close(one->socket))
		fail("close");
	free(one);
}

/* Sends what is left of the answer. 1: all of it is sent, 0: there is no room now, -1: the caller is gone. */
static int send_answer(struct connection *one)
{
	while (one->sent < one->head_size + one->body_size) {
		size_t in_body = one->sent > one->head_size ? one->sent - one->head_size : 0;
		struct iovec parts[2] = {
			{ .iov_base = one->answer_head + one->sent, .iov_len = one->head_size - one->sent },
			{ .iov_base = body + in_body, .iov_len = one->body_size - in_body },
		};
		int head_done = one->sent >= one->head_size;
		struct msghdr message = { .msg_iov = parts + head_done, .msg_iovlen = head_done ? 1 : 2 };
		ssize_t sent = sendmsg(one->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN ? 0 : -1;
		one->sent += (size_t)sent;
	}
	requests++;
	return 1;
}

/* Reads the request's first line. 1: an answer is to be sent, -1: it is none that is served here. */
static int take_request(struct connection *one, size_t head_length)
{
	unsigned long size = 0;
	char end;

	one->head[head_length - 1] = 0;
	if (sscanf(one->head, "GET /%lu%c", &size, &end) != 2 || (end != ' ' && end != '/') || size > LARGEST_BODY)
		return -1;
	one->body_size = size;
	one->head_size = (size_t)snprintf(one->answer_head, sizeof(one->answer_head),
		"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %lu\r\n\r\n", size);
	one->sent = 0;
	one->answering = 1;
	memmove(one->head, one->head + head_length, one->filled - head_length);
	one->filled -= head_length;
	return 1;
}

/* Answers all requests that are there in full. -1: the connection is done with. */
static int answer_requests(struct connection *one)
{
	static const char no[] = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

	for (;;) {
		char *end;

		if (one->answering) {
			int sent = send_answer(one);

			if (sent <= 0)
				return sent;
			one->answering = 0;
		}
		end = memmem(one->head, one->filled, "\r\n\r\n", 4);
		if (!end && one->filled < HEAD_ROOM)
			return 0;
		if (end && take_request(one, (size_t)(end - one->head) + 4) > 0)
			continue;
		refused++;
		(void)send(one->socket, no, sizeof(no) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		return -1;
	}
}

static void converse(struct connection *one)
{
	int was_waiting = one->answering, done = 0;

	if (!was_waiting) {
		ssize_t size = recv(one->socket, one->head + one->filled, HEAD_ROOM - one->filled, MSG_DONTWAIT);

		if (size < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		done = size <= 0;
		one->filled += size > 0 ? (size_t)size : 0;
	}
	if (done || answer_requests(one) < 0)
		drop(one);
	else if (one->answering != was_waiting)
		watch(one, one->answering ? EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
}

static void tell(void)
{
	char asked[256];

	if (read(STDIN_FILENO, asked, sizeof(asked)) <= 0)
		exit(0);
	if (printf("{\"requests\":%llu,\"refused\":%llu,\"connections\":%llu}\n", requests, refused, accepted) < 0 ||
	    fflush(stdout))
		fail("standard output");
}

int main(int argc, char **argv)
{
	struct rlimit files = { MOST_FILES, MOST_FILES };
	struct epoll_event ready[64];

	if (argc < 2) {
		fprintf(stderr, "usage: http-server PORT|PATH...\n");
		return 2;
	}
	/* Where it may not be raised, what there is must do. */
	(void)setrlimit(RLIMIT_NOFILE, &files);
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = body_byte(i);
	events = epoll_create1(0);
	if (events < 0)
		fail("epoll_create1");
	for (int i = 1; i < argc; i++)
		listen_on(argv[i]);
	new_connection(STDIN_FILENO, ASKS);
	if (puts("listening") < 0 || fflush(stdout))
		fail("standard output");
	for (;;) {
		int count = epoll_wait(events, ready, 64, -1);

		if (count < 0 && errno != EINTR)
			fail("epoll_wait");
		for (int i = 0; i < count; i++) {
			struct connection *one = ready[i].data.ptr;

			if (one->kind == LISTENS)
				accept_all(one->socket);
			else if (one->kind == ASKS)
				tell();
			else
				converse(one);
		}
	}
}
