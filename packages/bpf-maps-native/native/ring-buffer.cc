// Ring buffers, read on Node's event loop. A slow reader costs records in the kernel's map, not memory here.
#include <bpf/libbpf.h>

#include <utility>

#include "handles.h"
#include "loop-poll.h"
#include "print-log.h"

namespace {

// One turn of the loop takes no more than this, so that a busy producer cannot keep the loop to itself.
constexpr size_t kMostRecords = 1024;
constexpr size_t kMostBytes = 1 << 20;

struct Ring {
  SharedFd map;
  ring_buffer *buffer = nullptr;
  Napi::FunctionReference onRecords;
  std::vector<uint8_t> content;
  std::vector<uint32_t> lengths;

  ~Ring() { ring_buffer__free(buffer); }
  bool full() const { return lengths.size() >= kMostRecords || content.size() >= kMostBytes; }
};

struct RingHandle : Handle {
  std::shared_ptr<Ring> ring;
  std::string name;
  std::shared_ptr<LoopPoll> poll;

  std::string describe() const override { return "ring buffer " + name; }
  void release() override {
    if (poll) poll->close();
    poll.reset();
    ring->onRecords.Reset();
    ring.reset();  // libuv has its share until it let go of the descriptor
  }
  ~RingHandle() override { if (!closed) release(); }
};

int collect(void *context, void *data, size_t size) {
  auto *ring = static_cast<Ring *>(context);
  auto *bytes = static_cast<uint8_t *>(data);
  ring->content.insert(ring->content.end(), bytes, bytes + size);
  ring->lengths.push_back(static_cast<uint32_t>(size));
  return ring->full() ? -ECANCELED : 0;  // the record counts as read; the rest waits for the next turn
}

void deliver(Ring &ring) {
  ring_buffer__consume(ring.buffer);
  if (ring.lengths.empty() || ring.onRecords.IsEmpty()) return;
  Napi::Env env = ring.onRecords.Env();
  Napi::HandleScope scope(env);
  auto lengths = Napi::Uint32Array::New(env, ring.lengths.size());
  std::copy(ring.lengths.begin(), ring.lengths.end(), lengths.Data());
  ring.lengths.clear();
  Napi::Value content = toBytes(env, std::exchange(ring.content, {}));
  callFromLoop(ring.onRecords, {content, lengths});
}

// openRingBuffer(map, onRecords(bytes of all records, their lengths))
Napi::Value openRingBuffer(const Napi::CallbackInfo &info) {
  auto &map = handleArg<MapHandle>(info[0]);
  Napi::Function onRecords = functionArg(info[1], "callback");
  auto ring = std::make_shared<Ring>();
  ring->map = map.fd;
  PrintLog log;
  ring->buffer = ring_buffer__new(map.fd->get(), collect, ring.get(), nullptr);
  if (ring->buffer == nullptr) throw log.explain(errno, "open ring buffer", map.describe());
  ring->onRecords = Napi::Persistent(onRecords);
  auto handle = std::make_unique<RingHandle>();
  handle->ring = ring;
  handle->name = map.name;
  handle->poll = LoopPoll::start(info.Env(), ring_buffer__epoll_fd(ring->buffer), LoopPoll::Events::readable, ring,
                                 [ring = ring.get()] { deliver(*ring); });
  return wrapHandle(info.Env(), std::move(handle));
}

Napi::Value ringBufferReference(const Napi::CallbackInfo &info) {
  auto &handle = handleArg<RingHandle>(info[0]);
  handle.poll->setReference(info[1].ToBoolean().Value());
  return info.Env().Undefined();
}

}  // namespace

void exportRingBuffer(Napi::Object &exports) {
  exportFunction<openRingBuffer>(exports, "openRingBuffer");
  exportFunction<ringBufferReference>(exports, "ringBufferReference");
}
