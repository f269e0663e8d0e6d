/*
 * The same over HTTP/2 with prior knowledge (RFC 9113), a stream at a time. The peer is told that header tables stay empty
 * and that windows never fill, so that an answer's head and the place of each byte are known without any more state.
 */
#pragma once
#include "exchange.h"

enum frame_type { DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8 };
#define END_STREAM 0x1
#define ACK 0x1
#define END_HEADERS 0x4
#define PADDED 0x8
#define PRIORITY 0x20
/* So many bytes of bodies are taken before the peer's window is opened by as many. */
#define WINDOW_STEP (1u << 28)

static inline void put_32(unsigned char *to, uint32_t value)
{
	value = htonl(value);
	memcpy(to, &value, sizeof(value));
}

static inline void put_frame(unsigned char *to, uint32_t length, int type, int flags, uint32_t stream)
{
	put_32(to, length << 8 | (uint32_t)type);
	to[4] = (unsigned char)flags;
	put_32(to + 5, stream);
}

/* 0, or what failed. */
static inline const char *send_bytes(struct exchange *one, const void *bytes, size_t size)
{
	return send(one->socket, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size ? NULL : "send";
}

static inline const char *open_window(struct exchange *one, uint32_t by)
{
	unsigned char frame[13];

	put_frame(frame, 4, WINDOW_UPDATE, 0, 0);
	put_32(frame + 9, by);
	return send_bytes(one, frame, sizeof(frame));
}

/* To be called once the connection is there. 0, or what failed. */
static inline const char *greet_http2(struct exchange *one)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	/* HEADER_TABLE_SIZE 0, ENABLE_PUSH 0, INITIAL_WINDOW_SIZE 2^31 - 1 */
	static const unsigned char settings[] = { 0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff };
	unsigned char first[sizeof(preface) - 1 + 9 + sizeof(settings)];

	memcpy(first, preface, sizeof(preface) - 1);
	put_frame(first + sizeof(preface) - 1, sizeof(settings), SETTINGS, 0, 0);
	memcpy(first + sizeof(preface) - 1 + 9, settings, sizeof(settings));
	one->http2 = 1;
	if (send_bytes(one, first, sizeof(first)))
		return "send";
	return open_window(one, 0x7fffffff - 65535);
}

/* GET /SIZE, with the fields that the request over HTTP/1.1 has. 0, or what failed. */
static inline const char *send_http2_request(struct exchange *one, size_t size, int64_t since)
{
	/* Indexed :method GET and :scheme http; literals by the name's index: :authority, :path; user-agent, accept. */
	static const char before[] = "\x82\x86\x01\x04" "echo" "\x04";
	static const char after[] = "\x0f\x2b\x09" "http-load" "\x0f\x04\x03" "*/*";
	unsigned char block[96];
	int length = snprintf((char *)block + 9 + sizeof(before), sizeof(block) - 9 - sizeof(before), "/%zu", size);
	size_t path = (size_t)length, whole = sizeof(before) + path + sizeof(after) - 1;

	one->since = since;
	one->body_seen = one->head_filled = 0;
	one->head_done = 0;
	one->stream = one->stream ? one->stream + 2 : 1;
	put_frame(block, (uint32_t)whole, HEADERS, END_STREAM | END_HEADERS, one->stream);
	memcpy(block + 9, before, sizeof(before) - 1);
	/* The path's length stands where the 0 of `before` would. */
	block[9 + sizeof(before) - 1] = (unsigned char)path;
	memcpy(block + 9 + sizeof(before) + path, after, sizeof(after) - 1);
	return send_bytes(one, block, 9 + whole);
}

/* Whether a header block begins with status 200, after changes of the table's size. */
static inline int is_block_right(const unsigned char *block, size_t size)
{
	size_t at = 0;

	while (at < size && (block[at] & 0xe0) == 0x20) {
		int more = (block[at++] & 0x1f) == 0x1f;

		while (more && at < size)
			more = block[at++] & 0x80;
	}
	return at < size && block[at] == 0x88;
}

/* Takes a part of a frame's payload. -1: it is wrong. */
static inline int take_payload(struct exchange *one, const char *part, size_t count, size_t size)
{
	if (one->frame_type == DATA) {
		if (!one->head_done || one->frame_flags & PADDED || !is_piece_right(one, part, count, size))
			return -1;
		one->body_seen += count;
		one->unopened += (uint32_t)count;
	} else if (one->frame_type == HEADERS || one->frame_type == PING) {
		size_t room = HEAD_ROOM - one->head_filled;

		memcpy(one->head + one->head_filled, part, count < room ? count : room);
		one->head_filled += count < room ? count : room;
	}
	return 0;
}

/* Does what the end of a frame asks for. 1: the answer is complete, 0: there is more to come, -1: it is wrong. */
static inline int end_frame(struct exchange *one, size_t size)
{
	unsigned char answer[9 + 8];
	const char *failed = NULL;
	int ends = (one->frame_type == DATA || one->frame_type == HEADERS) && one->frame_flags & END_STREAM;

	if (one->frame_type == RST_STREAM || one->frame_type == GOAWAY)
		return -1;
	if (one->frame_type == HEADERS && !one->head_done) {
		if (one->frame_flags & (PADDED | PRIORITY) || !(one->frame_flags & END_HEADERS) ||
		    !is_block_right((const unsigned char *)one->head, one->head_filled))
			return -1;
		one->head_done = 1;
	}
	if (one->frame_type == SETTINGS && !(one->frame_flags & ACK)) {
		put_frame(answer, 0, SETTINGS, ACK, 0);
		failed = send_bytes(one, answer, 9);
	} else if (one->frame_type == PING && !(one->frame_flags & ACK)) {
		put_frame(answer, 8, PING, ACK, 0);
		memcpy(answer + 9, one->head, 8);
		failed = send_bytes(one, answer, sizeof(answer));
	}
	if (!failed && one->unopened >= WINDOW_STEP) {
		failed = open_window(one, one->unopened);
		one->unopened = 0;
	}
	if (failed)
		return -1;
	return !ends ? 0 : one->head_done && one->body_seen == size ? 1 : -1;
}

/* Takes what came, as take_piece. */
static inline int take_frames(struct exchange *one, const char *bytes, size_t count, size_t size)
{
	int done = 0;

	while (count > 0) {
		size_t taken;

		if (one->frame_filled < 9) {
			const unsigned char *frame = one->frame;

			one->frame[one->frame_filled++] = (unsigned char)*bytes++;
			count--;
			if (one->frame_filled < 9)
				continue;
			one->frame_left = (uint32_t)(frame[0] << 16 | frame[1] << 8 | frame[2]);
			one->frame_type = frame[3];
			one->frame_flags = frame[4];
			one->head_filled = 0;
		}
		taken = count < one->frame_left ? count : one->frame_left;
		if (taken > 0 && take_payload(one, bytes, taken, size) < 0)
			return -1;
		bytes += taken;
		count -= taken;
		one->frame_left -= (uint32_t)taken;
		if (one->frame_left == 0) {
			int ended = end_frame(one, size);

			one->frame_filled = 0;
			if (ended < 0 || (ended > 0 && done))
				return -1;
			done |= ended;
		}
	}
	return done;
}

/* Reads what is there, as take_piece; -2: the connection ended or failed, with errno 0 if it ended. */
static inline int receive_answer(struct exchange *one, size_t size)
{
	static char piece[1 << 18];
	ssize_t count = recv(one->socket, piece, sizeof(piece), MSG_DONTWAIT);

	if (count > 0 && one->http2)
		return take_frames(one, piece, (size_t)count, size);
	if (count > 0)
		return one->since ? take_piece(one, piece, (size_t)count, size) : -1;
	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (count == 0)
		errno = 0;
	return -2;
}
