// One wait for a socket handle to become writable, on Node's event loop.
#include "socket-handle.h"

#include <sys/socket.h>

#include "loop-poll.h"

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

}  // namespace

void exportPoll(Napi::Object &exports) { exportFunction<waitWritable>(exports, "waitWritable"); }
