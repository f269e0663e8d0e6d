// Sockets made in another network namespace (a socket stays in the namespace of its making), and those of other processes.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cstring>
#include <utility>

#include "netns.h"
#include "socket-handle.h"

namespace {

struct Address {
  sockaddr_storage storage = {};
  socklen_t length = 0;
  const sockaddr *get() const { return reinterpret_cast<const sockaddr *>(&storage); }
};

Address parseAddress(const std::string &text, uint16_t port, const char *operation) {
  Address address;
  auto *four = reinterpret_cast<sockaddr_in *>(&address.storage);
  auto *six = reinterpret_cast<sockaddr_in6 *>(&address.storage);
  if (inet_pton(AF_INET, text.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    address.length = sizeof(*four);
  } else if (inet_pton(AF_INET6, text.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    address.length = sizeof(*six);
  } else {
    throw Failure(EINVAL, operation, "address " + text, "must be an IPv4 or IPv6 address");
  }
  return address;
}

struct Request {
  std::string netns, operation, object;
  Address address;
  std::string source;
  uint32_t backlog = 0;
  SharedFd fd;
};

void enable(const Request &request, int level, int option) {
  int on = 1;
  if (setsockopt(request.fd->get(), level, option, &on, sizeof(on)) != 0) throw Failure(errno, request.operation, request.object);
}

void makeSocket(Request &request, int type) {
  int fd = socket(request.address.storage.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw Failure(errno, request.operation, request.object);
  request.fd = ownFd(fd);
}

void bindTo(const Request &request, const Address &address) {
  if (bind(request.fd->get(), address.get(), address.length) != 0) throw Failure(errno, request.operation, request.object);
}

// Starts the connection; whoever asked waits for it on the loop.
void startConnect(Request &request) {
  makeSocket(request, SOCK_STREAM);
  if (!request.source.empty()) {
    enable(request, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);  // the port is chosen with the peer known: no early exhaustion
    bindTo(request, parseAddress(request.source, 0, "connect"));
  }
  if (connect(request.fd->get(), request.address.get(), request.address.length) != 0 && errno != EINPROGRESS) {
    throw Failure(errno, request.operation, request.object);
  }
}

void listenOn(Request &request) {
  makeSocket(request, SOCK_STREAM);
  enable(request, SOL_SOCKET, SO_REUSEADDR);
  bindTo(request, request.address);
  if (listen(request.fd->get(), static_cast<int>(request.backlog)) != 0) throw Failure(errno, request.operation, request.object);
}

void bindDatagram(Request &request) {
  makeSocket(request, SOCK_DGRAM);
  bindTo(request, request.address);
}

// Arguments: netns path, address, port.
std::shared_ptr<Request> requestArgs(const Napi::CallbackInfo &info, const char *operation) {
  auto request = std::make_shared<Request>();
  request->netns = given(info[0]) ? textArg(info[0], "netnsPath") : "";
  request->operation = operation;
  std::string text = textArg(info[1], "address");
  auto port = static_cast<uint16_t>(numberArgWithin(info[2], "port", 0, UINT16_MAX));
  request->address = parseAddress(text, port, operation);
  request->object = (text.find(':') == std::string::npos ? text : "[" + text + "]") + ":" + std::to_string(port);
  if (!request->netns.empty()) request->object += " in " + request->netns;
  return request;
}

Napi::Value openAsync(Napi::Env env, std::shared_ptr<Request> request, void (*open)(Request &)) {
  auto work = [request, open] { inNamespace(request->netns, request->operation, [&] { open(*request); }); };
  return runAsync(env, work, [request](Napi::Env e) {
    auto handle = std::make_unique<SocketHandle>();
    handle->fd = request->fd;
    handle->object = request->object;
    return wrapHandle(e, std::move(handle));
  });
}

Napi::Value socketConnect(const Napi::CallbackInfo &info) {
  auto request = requestArgs(info, "connect");
  if (given(info[3])) request->source = textArg(info[3], "sourceAddress");
  return openAsync(info.Env(), request, startConnect);
}

Napi::Value socketListen(const Napi::CallbackInfo &info) {
  auto request = requestArgs(info, "listen");
  request->backlog = numberArg(info[3], "backlog");
  return openAsync(info.Env(), request, listenOn);
}

Napi::Value socketDatagram(const Napi::CallbackInfo &info) { return openAsync(info.Env(), requestArgs(info, "bind"), bindDatagram); }

// The outcome of a connection that became writable: throws why it failed.
Napi::Value socketConnected(const Napi::CallbackInfo &info) {
  auto &socket = handleArg<SocketHandle>(info[0]);
  int error = 0;
  socklen_t length = sizeof(error);
  if (getsockopt(socket.fd->get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  if (error != 0) throw Failure(error, "connect", socket.object);
  return info.Env().Undefined();
}

// Gives the descriptor's number to the caller, who closes it; the handle is closed.
Napi::Value socketTake(const Napi::CallbackInfo &info) {
  auto &socket = handleArg<SocketHandle>(info[0]);
  int number = fcntl(socket.fd->get(), F_DUPFD_CLOEXEC, 3);
  if (number < 0) throw Failure(errno, "take", socket.describe());
  socket.closed = true;
  socket.release();
  return Napi::Number::New(info.Env(), number);
}

// descriptorOf(process id, number there): a copy of another process's descriptor; the caller closes it.
Napi::Value descriptorOf(const Napi::CallbackInfo &info) {
  uint32_t process = numberArgWithin(info[0], "processId", 1, INT32_MAX), number = numberArgWithin(info[1], "fd", 0, INT32_MAX);
  std::string object = "descriptor " + std::to_string(number) + " of process " + std::to_string(process);
  int pidfd = static_cast<int>(syscall(SYS_pidfd_open, process, 0));  // glibc has wrappers only since 2.36
  if (pidfd < 0) throw Failure(errno, "copy", object);
  SharedFd owner = ownFd(pidfd);
  int copy = static_cast<int>(syscall(SYS_pidfd_getfd, owner->get(), number, 0));  // close-on-exec is set
  if (copy < 0) throw Failure(errno, "copy", object);
  return Napi::Number::New(info.Env(), copy);
}

// networkCookie(netnsPath): the number by which programs know that network namespace, or this process's (bpf_get_netns_cookie).
Napi::Value networkCookie(const Napi::CallbackInfo &info) {
  const char *operation = "read cookie of";
  std::string path = given(info[0]) ? textArg(info[0], "netnsPath") : "";
  std::string object = path.empty() ? "network namespace" : "network namespace " + path;
  uint64_t cookie = 0;
  inNamespace(path, operation, [&] {
    Fd socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (socket_.get() < 0) throw Failure(errno, operation, object);
    socklen_t length = sizeof(cookie);
    if (getsockopt(socket_.get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) != 0) throw Failure(errno, operation, object);
  });
  return Napi::BigInt::New(info.Env(), cookie);
}

// socketCookie(fd): the number by which programs know a socket of this process (bpf_get_socket_cookie); never used twice.
Napi::Value socketCookie(const Napi::CallbackInfo &info) {
  uint32_t fd = numberArgWithin(info[0], "socketFd", 0, INT32_MAX);
  uint64_t cookie = 0;
  socklen_t length = sizeof(cookie);
  if (getsockopt(static_cast<int>(fd), SOL_SOCKET, SO_COOKIE, &cookie, &length) != 0) {
    throw Failure(errno, "read cookie of", "socket " + std::to_string(fd));
  }
  return Napi::BigInt::New(info.Env(), cookie);
}

// setSendBuffer(fd, bytes): beyond what the machine allows to all, where the process may (CAP_NET_ADMIN). The kernel has a second
// bound, on what is not yet sent, whose default belongs to the network (net.ipv4.tcp_notsent_lowat).
Napi::Value setSendBuffer(const Napi::CallbackInfo &info) {
  int fd = static_cast<int>(numberArgWithin(info[0], "socketFd", 0, INT32_MAX));
  int bytes = static_cast<int>(numberArgWithin(info[1], "bytes", 1, INT32_MAX / 2));
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) != 0 &&
      setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)) != 0) {
    throw Failure(errno, "set send buffer of", "socket " + std::to_string(fd));
  }
  int unsent = INT32_MAX;
  if (setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent)) != 0) {
    throw Failure(errno, "lift the bound on what is not yet sent of", "socket " + std::to_string(fd));
  }
  return info.Env().Undefined();
}

}  // namespace

void exportSockets(Napi::Object &exports) {
  exportFunction<socketConnect>(exports, "socketConnect");
  exportFunction<socketListen>(exports, "socketListen");
  exportFunction<socketDatagram>(exports, "socketDatagram");
  exportFunction<socketConnected>(exports, "socketConnected");
  exportFunction<socketTake>(exports, "socketTake");
  exportFunction<descriptorOf>(exports, "descriptorOf");
  exportFunction<networkCookie>(exports, "networkCookie");
  exportFunction<socketCookie>(exports, "socketCookie");
  exportFunction<setSendBuffer>(exports, "setSendBuffer");
}
