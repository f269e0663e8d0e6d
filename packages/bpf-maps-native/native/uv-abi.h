// The few functions of libuv's stable 1.x ABI that are used here. node-api-headers carries no uv.h, and any
// one uv.h would be of one Node's version; handles are made at the size that the running libuv tells.
#pragma once

#include <cstddef>

extern "C" {
struct uv_loop_s;
struct uv_handle_s;
struct uv_poll_s;

// Positions in enum uv_handle_type, fixed within libuv 1.x.
enum { kUvPoll = 8 };

const char *uv_handle_type_name(int type);
size_t uv_handle_size(int type);
void *uv_handle_get_data(const uv_handle_s *handle);
void uv_handle_set_data(uv_handle_s *handle, void *data);
void uv_close(uv_handle_s *handle, void (*onClosed)(uv_handle_s *));
void uv_ref(uv_handle_s *handle);
void uv_unref(uv_handle_s *handle);
int uv_backend_fd(const uv_loop_s *loop);
int uv_poll_init(uv_loop_s *loop, uv_poll_s *poll, int fd);
int uv_poll_start(uv_poll_s *poll, int events, void (*onEvent)(uv_poll_s *, int status, int events));
int uv_poll_stop(uv_poll_s *poll);
}
