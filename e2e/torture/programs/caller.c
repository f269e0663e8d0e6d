/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many callers, each with a connection at a time, that write, read and end it in every way that sockets allow. Which, is
 * told by the seed. All bytes of all answers are checked. Every 200 ms, and at the end, a line of JSON says what came of it.
 * On standard input "cuts on" says that connections may be cut from now on, "cuts off" that those made from now on may not,
 * "end" that no more is to be begun; they go on until then.
 * SPLICES 0: answers go past TCP (bpf/README.md): none reads by splice, which never ends there, and MSG_WAITALL may return short.
 * PAUSE_MS: each caller waits so long behind each exchange while connections may be cut, as something is started anew then.
 * Usage: caller SEED CALLERS MOST_BYTES SPLICES PAUSE_MS PORT HOST…
 */
#include "conversation.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>

static int open_connection(struct caller *caller)
{
	struct connection *connection = &caller->connection;
	struct chance *chance = &caller->chance;
	const char *host = orders.hosts[below(chance, orders.host_count)];
	struct sockaddr_in6 name6 = {.sin6_family = AF_INET6, .sin6_port = htons(orders.port)};
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(orders.port)};
	int is_ipv6 = inet_pton(AF_INET6, host, &name6.sin6_addr) == 1, on = 1, small = 4096 << below(chance, 6);
	struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
	inet_pton(AF_INET, host, &name.sin_addr);
	connection->reads = below(chance, READS);
	if (connection->reads == READ_SPLICED && !orders.splices)
		connection->reads = READ_PLAIN;
	connection->is_past_tcp = !orders.splices;
	connection->sends = caller->is_plain || happens(chance, 400) ? SEND_WHOLE : below(chance, SENDS);
	connection->chance = (struct chance){draw(chance)};
	connection->at = connection->end = connection->is_tainted = 0;
	connection->trouble = NONE;
	caller->cuts_before = atomic_load(&cuts);
	connection->is_tainted = caller->cuts_before & 1;
	connection->fd = socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(connection->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(connection->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (happens(chance, 500))
		setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (happens(chance, 150))
		setsockopt(connection->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (connect(connection->fd, is_ipv6 ? (void *)&name6 : (void *)&name, is_ipv6 ? sizeof(name6) : sizeof(name)) != 0)
		return fail(connection, CUT, "connect to %s: %s", host, strerror(errno));
	if (connection->reads == READ_EDGES) {
		struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET};
		fcntl(connection->fd, F_SETFL, O_NONBLOCK);
		epoll_ctl(connection->epoll, EPOLL_CTL_ADD, connection->fd, &event);
	}
	atomic_fetch_add(&connections, 1);
	return 0;
}

static void close_connection(struct caller *caller, int resets)
{
	struct linger none = {.l_onoff = 1};
	if (resets)
		setsockopt(caller->connection.fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(caller->connection.fd);
}

static void tell_trouble(struct caller *caller)
{
	static const char *const words[] = {"", "cut", "refused", "WRONG", "HUNG"};
	static atomic_ullong *const counters[] = {NULL, &cut, &refused, &wrong, &hung};
	struct connection *connection = &caller->connection;
	enum trouble trouble = connection->trouble;
	int may = connection->is_tainted || (caller->cuts_before & 1) || atomic_load(&cuts) != caller->cuts_before;
	if (trouble == WRONG || trouble == HUNG || !may) {
		fprintf(stderr, "%s%s: seed %lu caller %lu exchange %lu connection %lu reads %d sends %d: %s\n",
			words[trouble], may ? "" : " that may not be", orders.seed, caller->number, caller->exchanges, caller->made,
			connection->reads, connection->sends, connection->what);
		trouble = trouble == HUNG ? HUNG : WRONG;
	}
	atomic_fetch_add(counters[trouble], 1);
}

static void *call(void *given)
{
	struct caller *caller = given;
	caller->connection.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (pipe2(caller->connection.pipe, O_CLOEXEC) != 0)
		abort();
	while (!atomic_load(&is_over)) {
		caller->made++;
		if (open_connection(caller) != 0 || converse(caller) < 0)
			tell_trouble(caller);
		leave_processors();
		close_connection(caller, happens(&caller->chance, 100));
		/* What a cut left in the pipe is nobody's. */
		close(caller->connection.pipe[0]);
		close(caller->connection.pipe[1]);
		if (pipe2(caller->connection.pipe, O_CLOEXEC) != 0)
			abort();
	}
	return NULL;
}

static void tell(int is_last)
{
	printf("{\"begun\":%llu,\"right\":%llu,\"abandoned\":%llu,\"cut\":%llu,\"refused\":%llu,\"wrong\":%llu,\"hung\":%llu,"
	       "\"sentAway\":%llu,\"connections\":%llu,\"bytes\":%llu,\"mayBeCut\":%s,"
	       "\"isLast\":%s}\n",
	       atomic_load(&begun), atomic_load(&right), atomic_load(&abandoned), atomic_load(&cut), atomic_load(&refused),
	       atomic_load(&wrong), atomic_load(&hung), atomic_load(&sent_away), atomic_load(&connections), atomic_load(&bytes), atomic_load(&cuts) & 1 ? "true" : "false", is_last ? "true" : "false");
	fflush(stdout);
}

static void *listen_to_orders(void *unused)
{
	char line[64];
	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (strcmp(line, "end\n") == 0)
			atomic_store(&is_over, 1);
		else if (strcmp(line, "cuts on\n") == 0)
			atomic_fetch_or(&cuts, 1);
		else if (strcmp(line, "cuts off\n") == 0)
			atomic_fetch_add(&cuts, 1);
	}
	return unused;
}

static void *tell_again(void *unused)
{
	for (;;) {
		usleep(200000);
		tell(0);
	}
	return unused;
}

int main(int count, char **words)
{
	if (count < 8) {
		fprintf(stderr, "usage: caller SEED CALLERS MOST_BYTES SPLICES PAUSE_MS PORT HOST...\n");
		return 2;
	}
	orders.seed = strtoull(words[1], NULL, 10);
	uint64_t callers = strtoull(words[2], NULL, 10);
	orders.most_bytes = strtoull(words[3], NULL, 10);
	orders.splices = atoi(words[4]);
	orders.pause_ms = atoi(words[5]);
	orders.port = atoi(words[6]);
	orders.hosts = words + 7;
	orders.host_count = count - 7;
	signal(SIGPIPE, SIG_IGN);
	pthread_t threads[callers], other;
	pthread_create(&other, NULL, listen_to_orders, NULL);
	pthread_create(&other, NULL, tell_again, NULL);
	for (uint64_t i = 0; i < callers; i++) {
		struct caller *caller = calloc(1, sizeof(*caller));
		if (caller == NULL)
			return 1;
		caller->number = i;
		caller->is_plain = i % 2;
		caller->chance.state = mix(orders.seed + mix(i));
		if (pthread_create(&threads[i], NULL, call, caller) != 0)
			return 1;
	}
	for (uint64_t i = 0; i < callers; i++)
		pthread_join(threads[i], NULL);
	tell(1);
	return 0;
}
