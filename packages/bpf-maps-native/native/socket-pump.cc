// Bytes from one stream socket to another on Node's event loop, without their passing through JavaScript. By recv and send:
// splice(2) was no cheaper, and does not see what a sockmap's program has passed to a socket.
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "border.h"
#include "fd.h"
#include "loop-poll.h"

namespace {

constexpr size_t kPiece = 256 << 10;
// One turn of the loop moves no more than this, so that a fast pair cannot keep the loop to itself.
constexpr int kPiecesPerTurn = 4;

enum class End { whole, source, target };

struct Pump : std::enable_shared_from_this<Pump> {
  SharedFd from, to;
  uint64_t left = 0;   // to be read
  uint64_t moved = 0;  // given to the target
  std::vector<uint8_t> held;  // read, and not taken by the target yet
  size_t heldFrom = 0;
  std::shared_ptr<LoopPoll> readable, writable;
  Napi::FunctionReference onEnd;

  void close() {
    if (readable) readable->close();
    if (writable) writable->close();
    readable.reset();
    writable.reset();
    onEnd.Reset();
    from.reset();
    to.reset();
  }

  // Bytes that are there already are moved in the loop's next turn.
  void start() { wait(false); }

 private:
  void turn() {
    auto keep = shared_from_this();  // the callback may close this object
    try {
      move();
    } catch (const Failure &failure) {
      end(End::source, failure.error);  // it cannot be waited for
    }
  }

  void move() {
    if (heldFrom < held.size() && !sendHeld()) return;
    for (int piece = 0; piece < kPiecesPerTurn && left > 0; piece++) {
      if (!receive()) return;
    }
    if (left > 0) wait(false);
    else end(End::whole, 0);
  }

  // False: it waits for room, or has ended.
  bool sendHeld() {
    ssize_t sent = give(held.data() + heldFrom, held.size() - heldFrom);
    if (sent < 0) return false;
    heldFrom += static_cast<size_t>(sent);
    if (heldFrom < held.size()) return wait(true), false;
    held.clear();
    heldFrom = 0;
    return true;
  }

  bool receive() {
    static thread_local std::vector<uint8_t> buffer(kPiece);
    ssize_t got = recv(from->get(), buffer.data(), std::min<uint64_t>(left, buffer.size()), MSG_DONTWAIT);
    if (got == 0) return end(End::source, 0), false;
    if (got < 0) {
      if (errno == EAGAIN || errno == EINTR) wait(false);
      else end(End::source, errno);
      return false;
    }
    left -= static_cast<uint64_t>(got);
    ssize_t sent = give(buffer.data(), static_cast<size_t>(got));
    if (sent < 0) return false;
    if (sent == got) return true;
    held.assign(buffer.begin() + sent, buffer.begin() + got);
    return wait(true), false;
  }

  // Less than all: there is no room for more. -1: it has ended.
  ssize_t give(const uint8_t *bytes, size_t size) {
    ssize_t sent = send(to->get(), bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return end(End::target, errno), -1;
    moved += static_cast<uint64_t>(std::max<ssize_t>(sent, 0));
    return std::max<ssize_t>(sent, 0);
  }

  void wait(bool forRoom) {
    watch(readable, from, LoopPoll::Events::readable, !forRoom);
    watch(writable, to, LoopPoll::Events::writable, forRoom);
  }

  void watch(std::shared_ptr<LoopPoll> &poll, const SharedFd &fd, LoopPoll::Events events, bool wanted) {
    if (poll) poll->watch(wanted);
    else if (wanted) poll = LoopPoll::start(onEnd.Env(), fd->get(), events, fd, [weak = weak_from_this()] {
      if (auto pump = weak.lock()) pump->turn();
    });
  }

  // Whether the source has sent more than was asked for.
  bool hasMore() {
    uint8_t byte;
    return recv(from->get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
  }

  void end(End how, int error) {
    Napi::HandleScope scope(onEnd.Env());
    Napi::Env env = onEnd.Env();
    auto callback = std::move(onEnd);
    auto more = Napi::Boolean::New(env, how == End::whole && hasMore());
    close();
    auto count = Napi::Number::New(env, static_cast<double>(moved));
    callFromLoop(callback, {count, Napi::Number::New(env, static_cast<int>(how)), Napi::Number::New(env, error), more});
  }
};

struct PumpHandle : Handle {
  std::shared_ptr<Pump> pump;
  std::string describe() const override { return "socket pump"; }
  void release() override { pump->close(); }
  ~PumpHandle() override { if (!closed) release(); }
};

// startPump(from, to, length, onEnd(moved, end, errno, more)): descriptors that others own and close; the pump has copies.
Napi::Value startPump(const Napi::CallbackInfo &info) {
  auto pump = std::make_shared<Pump>();
  pump->from = duplicateFd(static_cast<int>(numberArgWithin(info[0], "from", 0, INT32_MAX)), "pump", "descriptor to read");
  pump->to = duplicateFd(static_cast<int>(numberArgWithin(info[1], "to", 0, INT32_MAX)), "pump", "descriptor to write");
  if (!info[2].IsNumber()) throw Napi::TypeError::New(info.Env(), "length must be a number");
  pump->left = static_cast<uint64_t>(info[2].As<Napi::Number>().Int64Value());
  pump->onEnd = Napi::Persistent(functionArg(info[3], "callback"));
  auto handle = std::make_unique<PumpHandle>();
  handle->pump = pump;
  Napi::Value wrapped = wrapHandle(info.Env(), std::move(handle));
  pump->start();
  return wrapped;
}

Napi::Value pumpMoved(const Napi::CallbackInfo &info) {
  return Napi::Number::New(info.Env(), static_cast<double>(handleArg<PumpHandle>(info[0]).pump->moved));
}

}  // namespace

void exportSocketPump(Napi::Object &exports) {
  exportFunction<startPump>(exports, "startPump");
  exportFunction<pumpMoved>(exports, "pumpMoved");
}
