// Tells of connections whose other end has ended them, without being woken by what else arrives: libuv watches for bytes, too.
#include <sys/epoll.h>

#include <array>

#include "border.h"
#include "fd.h"
#include "loop-poll.h"

namespace {

// One turn of the loop tells of so many; the others stay for the next one.
constexpr size_t kMostTold = 256;

struct Watch {
  SharedFd epoll;
  Napi::FunctionReference onHangUps;
};

struct HangUpsHandle : Handle {
  std::shared_ptr<Watch> watch;
  std::shared_ptr<LoopPoll> poll;

  std::string describe() const override { return "watch for ended connections"; }
  void release() override {
    if (poll) poll->close();
    poll.reset();
    watch->onHangUps.Reset();
    watch.reset();
  }
  ~HangUpsHandle() override { if (!closed) release(); }
};

uint64_t cookieArg(const Napi::Value &value) {
  if (!value.IsBigInt()) throw Napi::TypeError::New(value.Env(), "cookie must be a bigint");
  bool lossless;
  return value.As<Napi::BigInt>().Uint64Value(&lossless);
}

void deliver(Watch &watch) {
  std::array<epoll_event, kMostTold> events;
  int count = epoll_wait(watch.epoll->get(), events.data(), events.size(), 0);
  if (count <= 0 || watch.onHangUps.IsEmpty()) return;
  Napi::Env env = watch.onHangUps.Env();
  Napi::HandleScope scope(env);
  auto cookies = Napi::BigUint64Array::New(env, static_cast<size_t>(count));
  for (int i = 0; i < count; i++) cookies[i] = events[i].data.u64;
  callFromLoop(watch.onHangUps, {cookies});
}

// openHangUps(onHangUps(cookies)): does not keep the process alive
Napi::Value openHangUps(const Napi::CallbackInfo &info) {
  Napi::Function onHangUps = functionArg(info[0], "callback");
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) throw Failure(errno, "watch", "ended connections");
  auto watch = std::make_shared<Watch>();
  watch->epoll = ownFd(epoll);
  watch->onHangUps = Napi::Persistent(onHangUps);
  auto handle = std::make_unique<HangUpsHandle>();
  handle->watch = watch;
  handle->poll = LoopPoll::start(info.Env(), epoll, LoopPoll::Events::readable, watch, [watch = watch.get()] { deliver(*watch); });
  handle->poll->setReference(false);
  return wrapHandle(info.Env(), std::move(handle));
}

// addHangUp(handle, descriptor, cookie): is told of once
Napi::Value addHangUp(const Napi::CallbackInfo &info) {
  auto &handle = handleArg<HangUpsHandle>(info[0]);
  int fd = static_cast<int>(numberArg(info[1], "descriptor"));
  epoll_event event = {};
  event.events = EPOLLRDHUP | EPOLLONESHOT;  // the kernel adds EPOLLERR and EPOLLHUP
  event.data.u64 = cookieArg(info[2]);
  if (epoll_ctl(handle.watch->epoll->get(), EPOLL_CTL_ADD, fd, &event) != 0)
    throw Failure(errno, "watch", "descriptor " + std::to_string(fd));
  return info.Env().Undefined();
}

// deleteHangUp(handle, descriptor): does nothing if it is not watched
Napi::Value deleteHangUp(const Napi::CallbackInfo &info) {
  auto &handle = handleArg<HangUpsHandle>(info[0]);
  int fd = static_cast<int>(numberArg(info[1], "descriptor"));
  if (epoll_ctl(handle.watch->epoll->get(), EPOLL_CTL_DEL, fd, nullptr) != 0 && errno != ENOENT)
    throw Failure(errno, "watch no longer", "descriptor " + std::to_string(fd));
  return info.Env().Undefined();
}

}  // namespace

void exportHangUps(Napi::Object &exports) {
  exportFunction<openHangUps>(exports, "openHangUps");
  exportFunction<addHangUp>(exports, "addHangUp");
  exportFunction<deleteHangUp>(exports, "deleteHangUp");
}
