/*
 * Accepts TCP connections over IPv4 and IPv6 on the port given, one at a time. Each is reset at its first byte, so that
 * neither side is left with a connection in TIME_WAIT. Prints "listening" when it does.
 */
#include "wire.h"

int main(int argc, char **argv)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_addr = in6addr_any };
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	int server = socket(AF_INET6, SOCK_STREAM, 0), both = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: accept-server PORT\n");
		return 2;
	}
	any.sin6_port = htons((unsigned short)atoi(argv[1]));
	if (server < 0 || setsockopt(server, IPPROTO_IPV6, IPV6_V6ONLY, &both, sizeof(both)))
		fail("socket");
	if (bind(server, (struct sockaddr *)&any, sizeof(any)) || listen(server, 1024))
		fail("listen");
	if (puts("listening") < 0 || fflush(stdout))
		fail("standard output");
	for (;;) {
		int one = accept(server, NULL, NULL);
		char byte;

		if (one < 0) {
			if (errno == EINTR || errno == ECONNABORTED)
				continue;
			fail("accept");
		}
		while (recv(one, &byte, 1, 0) < 0 && errno == EINTR)
			;
		if (setsockopt(one, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) || close(one))
			fail("close");
	}
}
