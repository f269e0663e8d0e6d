// What sockets have to do with Node's event loop: one wait for a socket handle to become writable, and an end of being woken.
#include "socket-handle.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include "loop-poll.h"
#include "uv-abi.h"

namespace {

struct WaitHandle : Handle {
  std::shared_ptr<LoopPoll> poll;
  std::string object;
  std::string describe() const override { return "wait for " + object; }
  void release() override { if (poll) poll->close(); poll.reset(); }
  ~WaitHandle() override { if (!closed) release(); }
};

// waitWritable(socket, callback): a handle to close after the call, or to give up.
Napi::Value waitWritable(const Napi::CallbackInfo &info) {
  auto &socket = handleArg<SocketHandle>(info[0]);
  auto callback = std::make_shared<Napi::FunctionReference>(Napi::Persistent(functionArg(info[1], "callback")));
  auto handle = std::make_unique<WaitHandle>();
  handle->object = socket.object;
  handle->poll = LoopPoll::start(info.Env(), socket.fd->get(), LoopPoll::Events::writable, socket.fd, [callback] {
    Napi::HandleScope scope(callback->Env());
    callFromLoop(*callback, {});
  });
  return wrapHandle(info.Env(), std::move(handle));
}

// leaveLoop(fd): the kernel no longer wakes the loop for a descriptor of which libuv waits for nothing. It takes such a one out
// only when it is told of an event, and of what programs have moved it is woken, but not told. Waiting again puts it back.
Napi::Value leaveLoop(const Napi::CallbackInfo &info) {
  int fd = static_cast<int>(numberArg(info[0], "descriptor"));
  if (epoll_ctl(uv_backend_fd(loopOf(info.Env())), EPOLL_CTL_DEL, fd, nullptr) != 0 && errno != ENOENT)
    throw Failure(errno, "leave the loop", "descriptor " + std::to_string(fd));
  return info.Env().Undefined();
}

}  // namespace

void exportPoll(Napi::Object &exports) {
  exportFunction<waitWritable>(exports, "waitWritable");
  exportFunction<leaveLoop>(exports, "leaveLoop");
}
