// The client's side of a descriptor holder (holder/), and what a process leaves for the one after it: memory by descriptor,
// counts of a TCP connection by the kernel.
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>

#include "../holder/protocol.h"
#include "socket-handle.h"

namespace {

constexpr int kPatienceMs = 5000;

void waitFor(const SocketHandle &holder, short events, const char *operation) {
  pollfd waiting = {holder.fd->get(), events, 0};
  int ready = poll(&waiting, 1, kPatienceMs);
  if (ready == 0) throw Failure(ETIMEDOUT, operation, holder.describe());
  if (ready < 0 && errno != EINTR) throw Failure(errno, operation, holder.describe());
}

// holderConnect(path); only a holder of the same user is spoken to.
Napi::Value holderConnect(const Napi::CallbackInfo &info) {
  const char *operation = "connect";
  std::string path = textArg(info[0], "path");
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) throw Failure(ENAMETOOLONG, operation, "holder " + path);
  memcpy(address.sun_path, path.data(), path.size());
  SharedFd fd = ownFd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd->get() < 0) throw Failure(errno, operation, "holder " + path);
  if (connect(fd->get(), reinterpret_cast<sockaddr *>(&address), sizeof(address)) != 0) throw Failure(errno, operation, "holder " + path);
  ucred peer = {};
  socklen_t length = sizeof(peer);
  if (getsockopt(fd->get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) throw Failure(errno, operation, "holder " + path);
  if (peer.uid != geteuid()) throw Failure(EPERM, operation, "holder " + path, "it is another user's");
  auto handle = std::make_unique<SocketHandle>();
  handle->fd = fd;
  handle->object = "of holder " + path;
  return wrapHandle(info.Env(), std::move(handle));
}

// holderSend(holder, what, kind, number, note, fd): waits a little where the holder is behind.
Napi::Value holderSend(const Napi::CallbackInfo &info) {
  auto &holder = handleArg<SocketHandle>(info[0]);
  Packet packet;
  packet.header = {static_cast<Say>(numberArg(info[1], "say")), numberArg(info[2], "kind"), numberArg(info[3], "number")};
  if (given(info[4])) packet.note = textArg(info[4], "note");
  if (packet.note.size() > kLongestNote) throw Failure(EMSGSIZE, "send", holder.describe());
  if (given(info[5])) packet.fd = static_cast<int>(numberArgWithin(info[5], "fd", 0, INT32_MAX));
  while (sendPacket(holder.fd->get(), packet) < 0) {
    if (errno == EAGAIN) waitFor(holder, POLLOUT, "send");
    else if (errno != EINTR) throw Failure(errno, "send", holder.describe());
  }
  return info.Env().Undefined();
}

struct Listed {
  uint32_t kind, number;
  std::string note;
  SharedFd fd;
};

// False: that was all.
bool receive(const SocketHandle &holder, std::vector<Listed> &listed) {
  const char *operation = "receive";
  Packet packet;
  ssize_t size = receivePacket(holder.fd->get(), packet);
  if (size < 0 && errno == EAGAIN) return waitFor(holder, POLLIN, operation), true;
  if (size < 0 && errno == EINTR) return true;
  if (size < 0) throw Failure(errno, operation, holder.describe());
  SharedFd fd = ownFd(packet.fd);
  if (size == 0) throw Failure(EPIPE, operation, holder.describe());
  const Header &header = packet.header;
  if (packet.fd >= 0) {
    listed.push_back({header.kind, header.number, packet.note, fd});
  } else if (header.say == Say::hold) {
    throw Failure(EMFILE, operation, holder.describe());
  }
  return header.say != Say::done;
}

// holderReceive(holder): what it says up to `done`; whoever asked closes the descriptors.
Napi::Value holderReceive(const Napi::CallbackInfo &info) {
  auto &handle = handleArg<SocketHandle>(info[0]);
  auto holder = std::make_shared<SocketHandle>();
  holder->fd = handle.fd;
  holder->object = handle.object;
  auto listed = std::make_shared<std::vector<Listed>>();
  auto work = [holder, listed] {
    while (receive(*holder, *listed)) {
    }
  };
  return runAsync(info.Env(), work, [listed](Napi::Env env) -> Napi::Value {
    auto all = Napi::Array::New(env, listed->size());
    for (size_t i = 0; i < listed->size(); i++) {
      Listed &one = (*listed)[i];
      auto object = Napi::Object::New(env);
      object.Set("kind", one.kind);
      object.Set("number", one.number);
      object.Set("note", one.note);
      object.Set("fd", one.fd->release());
      all.Set(i, object);
    }
    return all;
  });
}

// makeMemory(name, size): a descriptor of memory that is as its writers left it, whatever became of them.
Napi::Value makeMemory(const Napi::CallbackInfo &info) {
  std::string name = textArg(info[0], "name");
  uint32_t size = numberArg(info[1], "size");
  Fd fd(memfd_create(name.c_str(), MFD_CLOEXEC));
  if (fd.get() < 0 || ftruncate(fd.get(), size) != 0) throw Failure(errno, "make", "memory " + name);
  return Napi::Number::New(info.Env(), fd.release());
}

// mapMemory(fd, size): the same bytes for all that map it, until they are collected.
Napi::Value mapMemory(const Napi::CallbackInfo &info) {
  int fd = static_cast<int>(numberArgWithin(info[0], "fd", 0, INT32_MAX));
  size_t size = numberArg(info[1], "size");
  void *start = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (start == MAP_FAILED) throw Failure(errno, "map", "memory of descriptor " + std::to_string(fd));
  return Napi::ArrayBuffer::New(
      info.Env(), start, size, [](Napi::Env, void *data, size_t *length) { munmap(data, *length); delete length; }, new size_t(size));
}

struct Counts {
  tcp_info tcp;
  int unread, unacknowledged;
};

// Bytes that TCP has there for a reader; 0 where others lie before them. SIOCINQ does not count these in all kernels, once a socket is
// in a map of sockets. Nothing is copied: there is nowhere to copy to.
int unreadOfTcp(int fd) {
  return static_cast<int>(std::max<ssize_t>(0, recv(fd, nullptr, INT32_MAX, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT)));
}

Counts countsOf(int fd, const std::string &object) {
  Counts counts = {};
  socklen_t length = sizeof(counts.tcp);
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &counts.tcp, &length) != 0 || ioctl(fd, SIOCINQ, &counts.unread) != 0 ||
      ioctl(fd, SIOCOUTQ, &counts.unacknowledged) != 0) {
    throw Failure(errno, "count bytes of", object);
  }
  counts.unread = std::max(counts.unread, unreadOfTcp(fd));
  return counts;
}

// tcpCounts(fd): bytes that were read from and written to a connection by whoever had it, and that wait there, or undefined where it
// is not open.
Napi::Value tcpCounts(const Napi::CallbackInfo &info) {
  int fd = static_cast<int>(numberArgWithin(info[0], "fd", 0, INT32_MAX));
  std::string object = "descriptor " + std::to_string(fd);
  // Counts of one moment: TCP has received, and had acknowledged, as much after them as before.
  Counts counts = countsOf(fd, object), again = countsOf(fd, object);
  while (counts.tcp.tcpi_bytes_received != again.tcp.tcpi_bytes_received || counts.tcp.tcpi_bytes_acked != again.tcp.tcpi_bytes_acked) {
    counts = again;
    again = countsOf(fd, object);
  }
  enum { kEstablished = 1, kCloseWait = 8 };
  bool ended = counts.tcp.tcpi_state == kCloseWait;
  if (counts.tcp.tcpi_state != kEstablished && !ended) return info.Env().Undefined();
  auto result = Napi::Object::New(info.Env());
  // The end of a direction counts as a byte there.
  result.Set("read", static_cast<double>(counts.tcp.tcpi_bytes_received) - (ended ? 1 : 0) - counts.unread);
  result.Set("unread", static_cast<double>(counts.unread));
  result.Set("written", static_cast<double>(counts.tcp.tcpi_bytes_acked) + counts.unacknowledged);
  return result;
}

}  // namespace

void exportHeld(Napi::Object &exports) {
  exportFunction<holderConnect>(exports, "holderConnect");
  exportFunction<holderSend>(exports, "holderSend");
  exportFunction<holderReceive>(exports, "holderReceive");
  exportFunction<makeMemory>(exports, "makeMemory");
  exportFunction<mapMemory>(exports, "mapMemory");
  exportFunction<tcpCounts>(exports, "tcpCounts");
}
