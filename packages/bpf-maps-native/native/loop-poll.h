// Watching a descriptor on Node's event loop with uv_poll.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>

struct uv_loop_s;
struct uv_poll_s;

uv_loop_s *loopOf(Napi::Env env);

// Calls back on the loop's thread whenever the descriptor is ready, until closed. Closes itself when the
// environment ends. `keep` is held until libuv is done with the descriptor: put its owner there.
class LoopPoll : public std::enable_shared_from_this<LoopPoll> {
 public:
  enum class Events { readable = 1, writable = 2 };

  static std::shared_ptr<LoopPoll> start(Napi::Env env, int fd, Events events, std::shared_ptr<void> keep, std::function<void()> onReady);
  // Whether it calls back at the moment; it does at first.
  void watch(bool wanted);
  // libuv lets go of the descriptor a little later; a second call does nothing.
  void close();
  // Whether it keeps the process alive; it does at first.
  void setReference(bool alive);

 private:
  LoopPoll() = default;
  static void onEvent(uv_poll_s *poll, int status, int events);
  static void onClosed(void *handle);
  static void onEnvironmentEnd(napi_async_cleanup_hook_handle hook, void *self);

  uv_poll_s *poll_ = nullptr;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  std::shared_ptr<LoopPoll> self_;  // until libuv let go
  std::shared_ptr<void> keep_;
  std::function<void()> onReady_;
  Events events_ = Events::readable;
  bool watching_ = true;
  bool closing_ = false;
};

// Calls a JavaScript function from a loop callback; what it throws becomes an uncaught exception.
void callFromLoop(const Napi::FunctionReference &function, const std::initializer_list<napi_value> &arguments);
