#include "loop-poll.h"

#include <node_api.h>

#include <cstdlib>
#include <cstring>
#include <utility>

#include "border.h"
#include "uv-abi.h"

namespace {

uv_handle_s *asHandle(uv_poll_s *poll) { return reinterpret_cast<uv_handle_s *>(poll); }

}  // namespace

uv_loop_s *loopOf(Napi::Env env) {
  uv_loop_s *loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) throw Napi::Error::New(env, "Node's event loop is not available");
  const char *name = uv_handle_type_name(kUvPoll);
  if (name == nullptr || strcmp(name, "poll") != 0) throw Napi::Error::New(env, "libuv's handle types are not those of 1.x");
  return loop;
}

std::shared_ptr<LoopPoll> LoopPoll::start(Napi::Env env, int fd, Events events, std::shared_ptr<void> keep, std::function<void()> onReady) {
  uv_loop_s *loop = loopOf(env);
  auto *storage = static_cast<uv_poll_s *>(calloc(1, uv_handle_size(kUvPoll)));
  if (storage == nullptr) throw std::bad_alloc();
  int result = uv_poll_init(loop, storage, fd);
  if (result < 0) {
    free(storage);
    throw Failure(-result, "watch", "descriptor " + std::to_string(fd));
  }
  std::shared_ptr<LoopPoll> self(new LoopPoll());
  self->self_ = self;
  self->poll_ = storage;
  self->keep_ = std::move(keep);
  self->onReady_ = std::move(onReady);
  self->events_ = events;
  uv_handle_set_data(asHandle(storage), self.get());
  napi_add_async_cleanup_hook(env, onEnvironmentEnd, self.get(), &self->hook_);
  uv_poll_start(storage, static_cast<int>(events), onEvent);
  return self;
}

void LoopPoll::onEvent(uv_poll_s *poll, int, int) {
  auto *self = static_cast<LoopPoll *>(uv_handle_get_data(asHandle(poll)));
  auto ready = self->onReady_;  // a copy: the callback may close this object
  try {
    ready();
  } catch (const Napi::Error &) {
    // Node's functions fail here only when their environment is ending, and then there is nobody left to tell.
  }
}

void LoopPoll::watch(bool wanted) {
  if (closing_ || wanted == watching_) return;
  watching_ = wanted;
  if (wanted) uv_poll_start(poll_, static_cast<int>(events_), onEvent);
  else uv_poll_stop(poll_);
}

void LoopPoll::close() {
  if (closing_) return;
  closing_ = true;
  uv_poll_stop(poll_);
  uv_close(asHandle(poll_), reinterpret_cast<void (*)(uv_handle_s *)>(onClosed));
}

void LoopPoll::onClosed(void *handle) {
  auto *self = static_cast<LoopPoll *>(uv_handle_get_data(static_cast<uv_handle_s *>(handle)));
  free(self->poll_);
  if (self->hook_ != nullptr) napi_remove_async_cleanup_hook(self->hook_);
  self->self_.reset();  // the last line: it may delete the object
}

void LoopPoll::onEnvironmentEnd(napi_async_cleanup_hook_handle, void *self) { static_cast<LoopPoll *>(self)->close(); }

void LoopPoll::setReference(bool alive) {
  if (closing_) return;
  if (alive) uv_ref(asHandle(poll_));
  else uv_unref(asHandle(poll_));
}

void callFromLoop(const Napi::FunctionReference &function, const std::initializer_list<napi_value> &arguments) {
  Napi::Env env = function.Env();
  try {
    function.MakeCallback(env.Global(), arguments);
  } catch (const Napi::Error &error) {
    napi_fatal_exception(env, error.Value());
  }
}
