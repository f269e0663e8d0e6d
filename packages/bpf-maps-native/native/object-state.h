// An opened BPF object. Loading happens on a worker thread, which shares the state with the handle.
#pragma once

#include <bpf/libbpf.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "border.h"
#include "fd.h"

// BTF ids of a map's key and value, 0 where it has none.
struct MapTypes {
  uint32_t key, value;
};

struct ObjectState {
  bpf_object *object = nullptr;
  std::string name;
  std::vector<uint8_t> content;    // kept while libbpf may look at it
  std::vector<SharedFd> borrowed;  // descriptors that libbpf uses at load without owning them
  std::map<std::string, MapTypes> mapTypes;  // as declared: load makes libbpf forget those of queues, maps of maps and the like
  bool loading = false;            // touched on the loop only
  bool loaded = false;

  ~ObjectState() { if (object != nullptr) bpf_object__close(object); }
};

struct ObjectHandle : Handle {
  std::shared_ptr<ObjectState> state;
  std::string name;

  std::string describe() const override { return "object " + name; }
  void release() override { state.reset(); }
};

// The state behind an argument; refuses (EBUSY) while a load is under way on another thread.
ObjectState &idleObject(const Napi::Value &value, const char *operation);
bpf_map *findMap(ObjectState &state, const std::string &name, const char *operation);
bpf_program *findProgram(ObjectState &state, const std::string &name, const char *operation);

// Names for an ENOENT's text: "connect4, connect6".
template <typename Item, typename Next, typename Name>
std::string joinNames(Next next, Name name) {
  std::string all;
  for (Item *item = next(nullptr); item != nullptr; item = next(item)) {
    if (!all.empty()) all += ", ";
    all += name(item);
  }
  return all.empty() ? "none" : all;
}
