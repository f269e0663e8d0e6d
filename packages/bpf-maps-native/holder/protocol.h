// What is said to a holder of descriptors, one packet each (SOCK_SEQPACKET): a header, then the note. A descriptor comes along
// with what is held.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

enum class Say : uint32_t {
  hold = 1,  // to the holder: keep this descriptor under the key, in place of one that is there; from it: this is held
  drop = 2,  // close what is held under the key
  list = 3,  // say all that is held, then `done`
  done = 4,
  end = 5,  // close all and end
};

struct Header {
  Say say;
  uint32_t kind;  // key: what it is, and which one of these; the holder looks at neither
  uint32_t number;
};

constexpr size_t kLongestNote = 512;

// Of a packet that goes, or comes.
struct Packet {
  Header header = {};
  std::string note;
  int fd = -1;  // -1: none
};

// As sendmsg.
inline ssize_t sendPacket(int socket, Packet &packet) {
  iovec parts[] = {{&packet.header, sizeof(packet.header)}, {packet.note.data(), packet.note.size()}};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  if (packet.fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(rights), &packet.fd, sizeof(packet.fd));
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL);
}

// As recvmsg; 0, too, for what is no whole packet. The descriptor is the caller's, whatever is returned.
inline ssize_t receivePacket(int socket, Packet &packet) {
  char note[kLongestNote];
  iovec parts[] = {{&packet.header, sizeof(packet.header)}, {note, sizeof(note)}};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  ssize_t size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (size < 0) return size;
  cmsghdr *rights = CMSG_FIRSTHDR(&message);
  if (rights != nullptr && rights->cmsg_type == SCM_RIGHTS) memcpy(&packet.fd, CMSG_DATA(rights), sizeof(packet.fd));
  if (size < static_cast<ssize_t>(sizeof(packet.header)) || (message.msg_flags & MSG_TRUNC) != 0) return 0;
  packet.note.assign(note, static_cast<size_t>(size) - sizeof(packet.header));
  return size;
}
