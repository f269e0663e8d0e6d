/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks for an answer on each of so many connections, reads its head and no more, and says "stopped". After a line on standard
 * input it reads on to the end, and says "right" if every byte was.
 * Usage: stopped-reader CONNECTIONS BYTES PORT HOST
 */
#include "exchange.h"

#include <arpa/inet.h>

static int refuse(const char *what)
{
	fprintf(stderr, "stopped-reader: %s\n", what);
	return 1;
}

static struct connection *ask(struct exchange *exchange, int port, const char *host)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct answer answer;
	if (connection == NULL || inet_pton(AF_INET, host, &name.sin_addr) != 1)
		return NULL;
	connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(connection->fd, (struct sockaddr *)&name, sizeof(name)) != 0)
		return NULL;
	if (send_request(connection, exchange, UINT64_MAX) != 0 || read_head(connection, exchange, &answer) != 0)
		return NULL;
	return connection;
}

int main(int count, char **words)
{
	if (count != 5)
		return refuse("usage: stopped-reader CONNECTIONS BYTES PORT HOST");
	int connections = atoi(words[1]);
	char line[8];
	struct exchange exchanges[connections];
	struct connection *asked[connections];
	for (int i = 0; i < connections; i++) {
		exchanges[i] = (struct exchange){ .target = 0,
			.key = mix(i), .method = "GET", .form = 'l', .answer_size = strtoull(words[2], NULL, 10)};
		asked[i] = ask(&exchanges[i], atoi(words[3]), words[4]);
		if (asked[i] == NULL)
			return refuse("no answer");
	}
	puts("stopped");
	fflush(stdout);
	if (fgets(line, sizeof(line), stdin) == NULL)
		return refuse("nobody says that it is to read on");
	for (int i = 0; i < connections; i++) {
		struct answer answer = {.has_length = 1, .length = exchanges[i].answer_size};
		if (read_body(asked[i], &exchanges[i], &answer) != 0)
			return refuse(asked[i]->what);
	}
	puts("right");
	return 0;
}
