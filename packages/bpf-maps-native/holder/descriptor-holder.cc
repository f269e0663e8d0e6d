// descriptor-holder PATH SECONDS: keeps descriptors of a process that may die, and gives them to the one that comes after it.
// It listens on the socket PATH, which is its own user's alone, and has one client at a time; the next one waits until that is
// gone. It ends when it is told to, or when nobody came for SECONDS: a connection that nobody will ever answer is to be closed.
// What it cannot do at its start it says on stdout, which it closes once it listens.
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unordered_map>

#include "protocol.h"

namespace {

struct Held {
  int fd;
  std::string note;
};

std::unordered_map<uint64_t, Held> held;

// A client that does not read what it asked for is not waited for.
constexpr timeval kPatience = {5, 0};

[[noreturn]] void fail(const char *step, const char *object) {
  printf("%s %s: %s\n", step, object, strerror(errno));
  exit(1);
}

uint64_t keyOf(const Header &header) { return static_cast<uint64_t>(header.kind) << 32 | header.number; }

void drop(uint64_t key) {
  auto found = held.find(key);
  if (found == held.end()) return;
  close(found->second.fd);
  held.erase(found);
}

bool list(int client) {
  for (const auto &[key, one] : held) {
    Packet packet = {{Say::hold, static_cast<uint32_t>(key >> 32), static_cast<uint32_t>(key)}, one.note, one.fd};
    if (sendPacket(client, packet) < 0) return false;
  }
  Packet done = {{Say::done, 0, 0}, "", -1};
  return sendPacket(client, done) >= 0;
}

// False: the client is gone, or does not keep to the protocol.
bool serve(int client) {
  Packet packet;
  ssize_t size = receivePacket(client, packet);
  if (size < 0 && errno == EINTR) return true;
  const Header &header = packet.header;
  if (size > 0 && header.say == Say::hold) {
    drop(keyOf(header));
    // Without a descriptor there was no room for it here: it is then not held, and ends with its process.
    if (packet.fd >= 0) held[keyOf(header)] = {packet.fd, packet.note};
    return true;
  }
  if (packet.fd >= 0) close(packet.fd);
  if (size <= 0) return false;
  switch (header.say) {
    case Say::drop: drop(keyOf(header)); return true;
    case Say::list: return list(client);
    case Say::end: exit(0);
    default: return false;
  }
}

// Only processes of this user are clients, whatever became of the file's mode.
int acceptClient(int listener) {
  int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return -1;
  ucred peer = {};
  socklen_t length = sizeof(peer);
  bool own = getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == geteuid();
  if (own && setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof(kPatience)) == 0) return client;
  close(client);
  return -1;
}

const char *path;
ino_t inode;

// Unless another holder has put its own there meanwhile.
void removeSocket() {
  struct stat found = {};
  if (lstat(path, &found) == 0 && found.st_ino == inode) unlink(path);
}

int listenAt(const char *text) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (strlen(text) >= sizeof(address.sun_path)) { errno = ENAMETOOLONG; fail("listen on", text); }
  strcpy(address.sun_path, text);
  int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (listener < 0) fail("make socket for", text);
  umask(0177);
  unlink(text);  // whoever starts a holder has found that none answers there
  if (bind(listener, reinterpret_cast<sockaddr *>(&address), sizeof(address)) != 0) fail("bind", text);
  struct stat made = {};
  if (lstat(text, &made) != 0) fail("look at", text);
  path = text;
  inode = made.st_ino;
  atexit(removeSocket);
  if (listen(listener, 8) != 0) fail("listen on", text);
  return listener;
}

void holdAsManyAsAllowed() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);  // if refused, fewer are held
}

}  // namespace

int main(int count, char **arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: descriptor-holder PATH SECONDS\n");
    return 2;
  }
  int patience = atoi(arguments[2]) * 1000;
  setsid();
  holdAsManyAsAllowed();
  int listener = listenAt(arguments[1]);
  if (chdir("/") != 0) fail("change to", "/");
  close(STDOUT_FILENO);
  for (;;) {
    pollfd waiting = {listener, POLLIN, 0};
    int ready = poll(&waiting, 1, patience);
    if (ready == 0) return 0;
    if (ready < 0 && errno != EINTR) fail("wait for", arguments[1]);
    int client = ready > 0 ? acceptClient(listener) : -1;
    if (client < 0) continue;
    while (serve(client)) {
    }
    close(client);
  }
}
