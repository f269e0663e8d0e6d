/* The heads of requests that are sent in turn: those of a file, one after the other, or one of our own. */
#pragma once
#include "wire.h"

struct requests {
	char *text;
	size_t count, next;
	/* Where each begins, and one more: where the last one ends. */
	size_t *begins;
};

static inline void free_requests(struct requests *requests)
{
	free(requests->text);
	free(requests->begins);
	memset(requests, 0, sizeof(*requests));
}

/* Cuts `text`, which it takes over, behind every empty line. */
static inline void cut_requests(struct requests *requests, char *text)
{
	size_t room = 1;

	for (const char *end = text; (end = strstr(end, "\r\n\r\n")); end += 4)
		room++;
	*requests = (struct requests){ .text = text, .begins = calloc(room, sizeof(size_t)) };
	if (!requests->begins)
		fail("calloc");
	for (const char *end = text; (end = strstr(end, "\r\n\r\n"));) {
		end += 4;
		requests->begins[++requests->count] = (size_t)(end - text);
	}
}

/* Those of a file. 0: it cannot be read, or holds none. */
static inline int read_requests(struct requests *requests, const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t room = 0;
	ssize_t size;

	if (!file)
		return 0;
	/* A head holds no byte 0. */
	size = getdelim(&text, &room, 0, file);
	if (fclose(file))
		fail(path);
	if (size <= 0) {
		free(text);
		return 0;
	}
	cut_requests(requests, text);
	return requests->count > 0;
}

static inline void own_request(struct requests *requests, size_t size)
{
	char *text;

	if (asprintf(&text, "GET /%zu HTTP/1.1\r\nhost: echo\r\nuser-agent: http-load\r\naccept: */*\r\n\r\n", size) < 0)
		fail("asprintf");
	cut_requests(requests, text);
}

/* The next one; after the last comes the first. */
static inline const char *next_request(struct requests *requests, size_t *length)
{
	size_t begin = requests->begins[requests->next], end = requests->begins[requests->next + 1];

	requests->next = (requests->next + 1) % requests->count;
	*length = end - begin;
	return requests->text + begin;
}
