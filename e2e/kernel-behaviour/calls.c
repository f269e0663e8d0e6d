/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes system calls that it is told on standard input, each line in a thread of its own, so that a test can block in
 * one and make another. A line is
 *     ID [xCOUNT] CALL ARGUMENT… [; CALL ARGUMENT…]…
 * and its answer, when all its calls have returned,
 *     ID RESULT ERRNO [BYTES…] [; RESULT ERRNO [BYTES…]]…
 * Arguments: a number; $, the result of the call before; <HEX, a pointer to these bytes; >SIZE, to room whose content is
 * answered; =HEX, to bytes whose content afterwards is answered; zSIZE, to zeros; v<HEX,<HEX…, to an iovec.
 * xCOUNT repeats a call as long as it gives more than 0; the result is the sum of all. The thread's name is its ID.
 * Usage: calls new | calls NAMESPACE: in a network namespace of its own, or in the one of this path.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ARGUMENTS = 6, MAX_BUFFERS = 48, SPIN = -1 };

static const struct {
	const char *name;
	long number;
} known[] = {
	{"accept4", SYS_accept4}, {"bind", SYS_bind}, {"close", SYS_close}, {"connect", SYS_connect},
	{"epoll_create1", SYS_epoll_create1}, {"epoll_ctl", SYS_epoll_ctl}, {"epoll_pwait", SYS_epoll_pwait},
	{"getsockname", SYS_getsockname}, {"getsockopt", SYS_getsockopt}, {"ioctl", SYS_ioctl},
	{"listen", SYS_listen}, {"mmap", SYS_mmap}, {"openat", SYS_openat}, {"pipe2", SYS_pipe2}, {"ppoll", SYS_ppoll}, {"read", SYS_read},
	{"recvfrom", SYS_recvfrom}, {"sched_setaffinity", SYS_sched_setaffinity}, {"sendto", SYS_sendto}, {"setsockopt", SYS_setsockopt}, {"shutdown", SYS_shutdown},
	{"socket", SYS_socket}, {"splice", SYS_splice}, {"tgkill", SYS_tgkill},
	{"userfaultfd", SYS_userfaultfd}, {"write", SYS_write}, {"writev", SYS_writev},
	{"spin", SPIN}, /* no system call: keeps the CPU for so many nanoseconds */
};

struct buffer {
	unsigned char *bytes;
	size_t size;
	int answered;
};

struct arguments {
	long values[MAX_ARGUMENTS];
	struct buffer buffers[MAX_BUFFERS];
	int buffer_count;
};

static pthread_mutex_t output = PTHREAD_MUTEX_INITIALIZER;

static void refuse(const char *what, const char *found)
{
	fprintf(stderr, "calls: %s: \"%s\"\n", what, found);
	_exit(2);
}

static struct buffer *new_buffer(struct arguments *arguments, size_t size, int answered)
{
	if (arguments->buffer_count == MAX_BUFFERS)
		refuse("more pointers than one call can have", "");
	struct buffer *buffer = &arguments->buffers[arguments->buffer_count++];
	buffer->bytes = calloc(1, size + 1);
	if (buffer->bytes == NULL)
		refuse("no memory for a buffer", "");
	buffer->size = size;
	buffer->answered = answered;
	return buffer;
}

static int digit(char text)
{
	return isdigit((unsigned char)text) ? text - '0' : tolower((unsigned char)text) - 'a' + 10;
}

static struct buffer *from_hex(struct arguments *arguments, const char *hex, int answered)
{
	size_t size = strlen(hex) / 2;
	struct buffer *buffer = new_buffer(arguments, size, answered);
	for (size_t i = 0; i < size; i++)
		buffer->bytes[i] = digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]);
	return buffer;
}

static long iovec_of(struct arguments *arguments, char *list)
{
	int count = 1;
	for (const char *at = list; *at != '\0'; at++)
		count += *at == ',';
	struct iovec *vector = (void *)new_buffer(arguments, count * sizeof(*vector), 0)->bytes;
	char *rest;
	for (char *word = strtok_r(list, ",", &rest); word != NULL; word = strtok_r(NULL, ",", &rest), vector++) {
		struct buffer *buffer = from_hex(arguments, word + 1, 0);
		*vector = (struct iovec){buffer->bytes, buffer->size};
	}
	return (long)(vector - count);
}

static long value_of(struct arguments *arguments, char *word, long previous)
{
	switch (word[0]) {
	case '$': return previous;
	case '<': return (long)from_hex(arguments, word + 1, 0)->bytes;
	case '=': return (long)from_hex(arguments, word + 1, 1)->bytes;
	case '>': return (long)new_buffer(arguments, strtoul(word + 1, NULL, 10), 1)->bytes;
	case 'z': return (long)new_buffer(arguments, strtoul(word + 1, NULL, 10), 0)->bytes;
	case 'v': return iovec_of(arguments, word + 1);
	default: return strtol(word, NULL, 0);
	}
}

static long spin(long nanoseconds)
{
	struct timespec start, now;
	clock_gettime(CLOCK_MONOTONIC, &start);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - start.tv_sec) * 1000000000L + now.tv_nsec - start.tv_nsec < nanoseconds);
	return 0;
}

static long make(long number, const long *values)
{
	return number == SPIN ? spin(values[0])
			      : syscall(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}

static long repeat(long number, const long *values, long count)
{
	if (count == 0)
		return make(number, values);
	long sum = 0;
	while (count-- > 0) {
		long result = make(number, values);
		if (result <= 0)
			break;
		sum += result;
	}
	return sum;
}

static long number_of(const char *name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].number;
	refuse("no such call", name);
	return 0;
}

/* What a call gave, in words. What was read is answered as far as it goes, other buffers whole. */
static void tell(FILE *answer, long number, long result, int error, struct arguments *arguments)
{
	int reads = number == SYS_recvfrom || number == SYS_read;
	fprintf(answer, " %ld %d", result, error);
	for (int i = 0; i < arguments->buffer_count; i++) {
		struct buffer *buffer = &arguments->buffers[i];
		if (reads && (long)buffer->size > result)
			buffer->size = result < 0 ? 0 : result;
		if (buffer->answered)
			fputc(' ', answer);
		for (size_t at = 0; buffer->answered && at < buffer->size; at++)
			fprintf(answer, "%02x", buffer->bytes[at]);
		free(buffer->bytes);
	}
}

static long run_call(char *text, FILE *answer, long previous)
{
	struct arguments arguments = {0};
	char *rest, *word = strtok_r(text, " ", &rest);
	long count = 0;
	if (word != NULL && word[0] == 'x') {
		count = strtol(word + 1, NULL, 10);
		word = strtok_r(NULL, " ", &rest);
	}
	long number = number_of(word == NULL ? "" : word);
	for (int i = 0; (word = strtok_r(NULL, " ", &rest)) != NULL; i++) {
		if (i == MAX_ARGUMENTS)
			refuse("more arguments than a call can have", word);
		arguments.values[i] = value_of(&arguments, word, previous);
	}
	errno = 0;
	long result = repeat(number, arguments.values, count);
	tell(answer, number, result, errno, &arguments);
	return result;
}

static void *run_line(void *line)
{
	char *words = line, *id = strsep(&words, " "), *rest, *answered = NULL;
	size_t length;
	FILE *answer = open_memstream(&answered, &length);
	if (answer == NULL || words == NULL)
		refuse("no memory for an answer, or no call", line);
	prctl(PR_SET_NAME, id);
	fputs(id, answer);
	long previous = 0;
	for (char *text = strtok_r(words, ";", &rest); text != NULL; text = strtok_r(NULL, ";", &rest)) {
		if (text != words)
			fputs(" ;", answer);
		previous = run_call(text, answer, previous);
	}
	fputc('\n', answer);
	fclose(answer);
	pthread_mutex_lock(&output);
	fwrite(answered, 1, length, stdout);
	fflush(stdout);
	pthread_mutex_unlock(&output);
	free(answered);
	free(line);
	return NULL;
}

/* With an Ethernet's MTU: segments of 64 KiB would wait for timers where buffers are small. */
static void raise_loopback(void)
{
	int any = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq mtu = {.ifr_name = "lo", .ifr_mtu = 1500}, up = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	if (any < 0 || ioctl(any, SIOCSIFMTU, &mtu) != 0 || ioctl(any, SIOCSIFFLAGS, &up) != 0)
		refuse("loopback does not come up", strerror(errno));
	close(any);
}

static void enter(const char *place)
{
	if (strcmp(place, "new") == 0) {
		if (unshare(CLONE_NEWNET) != 0)
			refuse("no network namespace of its own", strerror(errno));
		raise_loopback();
		return;
	}
	int namespace = open(place, O_RDONLY | O_CLOEXEC);
	if (namespace < 0 || setns(namespace, CLONE_NEWNET) != 0)
		refuse("cannot enter the network namespace", place);
	close(namespace);
}

static void wake(int signal)
{
	(void)signal; /* only there to interrupt a call */
}

int main(int count, char **words)
{
	if (count != 2)
		refuse("usage: calls new | calls NAMESPACE", "");
	enter(words[1]);
	signal(SIGPIPE, SIG_IGN);
	struct sigaction action = {.sa_handler = wake, .sa_flags = SA_RESTART};
	sigaction(SIGUSR1, &action, NULL);
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	puts("ready");
	fflush(stdout);
	for (;;) {
		char *line = NULL;
		size_t size = 0;
		ssize_t length = getline(&line, &size, stdin);
		if (length <= 0)
			_exit(0); /* whoever gave the orders is gone */
		line[length - 1] = '\0';
		pthread_t thread;
		int error = pthread_create(&thread, &attributes, run_line, line);
		if (error != 0)
			refuse("no thread", strerror(error));
	}
}
