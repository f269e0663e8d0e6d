// Chains of the packet filter in this process's network namespace: those of nf_tables by netlink, those of the older
// ip_tables by their socket option. Only read; both need CAP_NET_ADMIN there.
#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "border.h"
#include "fd.h"

namespace {

constexpr size_t kMostChains = 1 << 20;
// Of all rules of a table, which the kernel hands out with its chains: some 200,000 of them.
constexpr uint32_t kMostRuleBytes = 64 << 20;
constexpr int kAnswerSeconds = 5;

SharedFd openSocket(int family, int type, int protocol, const char *object) {
  int fd = socket(family, type | SOCK_CLOEXEC, protocol);
  if (fd < 0) throw Failure(errno, "open", object);
  return ownFd(fd);
}

struct Chain {
  uint8_t family;  // NFPROTO_IPV4, …
  std::string table, name;
};

// The text of an attribute, up to its NUL or its end.
std::string textOf(const nlattr *attribute) {
  const char *text = reinterpret_cast<const char *>(attribute) + NLA_HDRLEN;
  return std::string(text, strnlen(text, attribute->nla_len - NLA_HDRLEN));
}

Chain chainOf(const nlmsghdr *message) {
  Chain chain;
  const char *content = static_cast<const char *>(NLMSG_DATA(const_cast<nlmsghdr *>(message)));
  const char *end = reinterpret_cast<const char *>(message) + message->nlmsg_len;
  chain.family = reinterpret_cast<const nfgenmsg *>(content)->nfgen_family;
  for (content += NLMSG_ALIGN(sizeof(nfgenmsg)); end - content >= NLA_HDRLEN;) {
    auto *attribute = reinterpret_cast<const nlattr *>(content);
    if (attribute->nla_len < NLA_HDRLEN || attribute->nla_len > end - content) break;
    int type = attribute->nla_type & NLA_TYPE_MASK;
    if (type == NFTA_CHAIN_TABLE) chain.table = textOf(attribute);
    if (type == NFTA_CHAIN_NAME) chain.name = textOf(attribute);
    content += std::min<ptrdiff_t>(NLA_ALIGN(attribute->nla_len), end - content);
  }
  return chain;
}

// Takes what one datagram says; true at the end of the dump.
bool takeChains(const char *datagram, size_t size, std::vector<Chain> &chains) {
  auto *message = reinterpret_cast<const nlmsghdr *>(datagram);
  for (; NLMSG_OK(message, size); message = NLMSG_NEXT(message, size)) {
    if (message->nlmsg_type == NLMSG_DONE) return true;
    if (message->nlmsg_type == NLMSG_ERROR) {
      if (message->nlmsg_len < NLMSG_LENGTH(sizeof(nlmsgerr))) throw Failure(EBADMSG, "list", "chains of nf_tables");
      int error = static_cast<const nlmsgerr *>(NLMSG_DATA(const_cast<nlmsghdr *>(message)))->error;
      if (error == 0) return true;
      throw Failure(-error, "list", "chains of nf_tables");
    }
    if (message->nlmsg_len < NLMSG_LENGTH(sizeof(nfgenmsg))) continue;
    if (chains.size() == kMostChains) throw Failure(E2BIG, "list", "chains of nf_tables");
    chains.push_back(chainOf(message));
  }
  return false;
}

std::vector<Chain> listChains() {
  const char *object = "chains of nf_tables";
  SharedFd fd = openSocket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER, object);
  timeval patience = {kAnswerSeconds, 0};
  if (setsockopt(fd->get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0) throw Failure(errno, "set timeout", object);
  struct {
    nlmsghdr header;
    nfgenmsg content;
  } request = {};
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETCHAIN;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.content.nfgen_family = NFPROTO_UNSPEC;
  request.content.version = NFNETLINK_V0;
  if (send(fd->get(), &request, sizeof(request), 0) < 0) throw Failure(errno, "list", object);
  std::vector<Chain> chains;
  std::vector<char> datagram(1 << 16);
  for (;;) {
    ssize_t size = recv(fd->get(), datagram.data(), datagram.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw Failure(errno, "list", object);
    if (takeChains(datagram.data(), static_cast<size_t>(size), chains)) return chains;
  }
}

// nftChains(): Promise of { family, table, chain }[].
Napi::Value nftChains(const Napi::CallbackInfo &info) {
  auto chains = std::make_shared<std::vector<Chain>>();
  return runAsync(info.Env(), [chains] { *chains = listChains(); }, [chains](Napi::Env env) -> Napi::Value {
    auto list = Napi::Array::New(env, chains->size());
    for (uint32_t index = 0; index < chains->size(); index++) {
      const Chain &chain = (*chains)[index];
      auto item = Napi::Object::New(env);
      item.Set("family", chain.family);
      item.Set("table", chain.table);
      item.Set("chain", chain.name);
      list.Set(index, item);
    }
    return list;
  });
}

// What differs between the two families' tables.
struct Ip {
  using Info = ipt_getinfo;
  using Entries = ipt_get_entries;
  using Entry = ipt_entry;
  static constexpr int family = AF_INET, level = IPPROTO_IP, getInfo = IPT_SO_GET_INFO, getEntries = IPT_SO_GET_ENTRIES;
};
struct Ip6 {
  using Info = ip6t_getinfo;
  using Entries = ip6t_get_entries;
  using Entry = ip6t_entry;
  static constexpr int family = AF_INET6, level = IPPROTO_IPV6, getInfo = IP6T_SO_GET_INFO, getEntries = IP6T_SO_GET_ENTRIES;
};

// A chain begins with a rule whose target is "ERROR" and has the chain's name; the last of them ends the table.
template <typename Family>
std::vector<std::string> chainsIn(const char *rules, uint32_t size) {
  std::vector<std::string> names;
  for (uint32_t at = 0; size - at >= sizeof(typename Family::Entry);) {
    auto *entry = reinterpret_cast<const typename Family::Entry *>(rules + at);
    if (entry->next_offset < sizeof(*entry) || entry->next_offset > size - at) break;
    if (entry->target_offset + sizeof(xt_error_target) <= entry->next_offset) {
      auto *target = reinterpret_cast<const xt_error_target *>(rules + at + entry->target_offset);
      if (strncmp(target->target.u.user.name, XT_ERROR_TARGET, XT_EXTENSION_MAXNAMELEN) == 0) {
        names.emplace_back(target->errorname, strnlen(target->errorname, sizeof(target->errorname)));
      }
    }
    at += entry->next_offset;
  }
  if (!names.empty()) names.pop_back();
  return names;
}

template <typename Family>
std::vector<std::string> readTable(const std::string &table) {
  std::string object = "table " + table + " of ip_tables";
  SharedFd fd = openSocket(Family::family, SOCK_RAW, IPPROTO_RAW, object.c_str());
  typename Family::Info about = {};
  table.copy(about.name, sizeof(about.name) - 1);
  socklen_t length = sizeof(about);
  if (getsockopt(fd->get(), Family::level, Family::getInfo, &about, &length) < 0) throw Failure(errno, "read", object);
  if (about.size > kMostRuleBytes) throw Failure(E2BIG, "read", object);
  std::vector<char> answer(sizeof(typename Family::Entries) + about.size);
  auto *entries = reinterpret_cast<typename Family::Entries *>(answer.data());
  table.copy(entries->name, sizeof(entries->name) - 1);
  entries->size = about.size;
  length = static_cast<socklen_t>(answer.size());
  // EAGAIN: the table changed in between.
  if (getsockopt(fd->get(), Family::level, Family::getEntries, entries, &length) < 0) throw Failure(errno, "read", object);
  return chainsIn<Family>(answer.data() + sizeof(typename Family::Entries), about.size);
}

// iptablesChains("ip" or "ip6", table): Promise of names, those that the kernel gives itself (PREROUTING, …) left out.
Napi::Value iptablesChains(const Napi::CallbackInfo &info) {
  std::string family = textArg(info[0], "family");
  if (family != "ip" && family != "ip6") throw Napi::TypeError::New(info.Env(), "family must be \"ip\" or \"ip6\", found " + family);
  std::string table = textArg(info[1], "table");
  if (table.empty() || table.size() >= XT_TABLE_MAXNAMELEN) {
    throw Napi::RangeError::New(info.Env(), "table must have 1 to " + std::to_string(XT_TABLE_MAXNAMELEN - 1) + " bytes");
  }
  auto names = std::make_shared<std::vector<std::string>>();
  auto work = [=] { *names = family == "ip" ? readTable<Ip>(table) : readTable<Ip6>(table); };
  return runAsync(info.Env(), work, [names](Napi::Env env) -> Napi::Value {
    auto list = Napi::Array::New(env, names->size());
    for (uint32_t index = 0; index < names->size(); index++) list.Set(index, (*names)[index]);
    return list;
  });
}

}  // namespace

void exportNetfilter(Napi::Object &exports) {
  exportFunction<nftChains>(exports, "nftChains");
  exportFunction<iptablesChains>(exports, "iptablesChains");
}
