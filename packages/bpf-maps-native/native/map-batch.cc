// Batch update and delete, on a worker thread. Maps without batch commands are done one by one there.
#include <bpf/bpf.h>

#include <utility>

#include "handles.h"
#include "map-access.h"

namespace {

constexpr int kKernelNotSupported = 524;

struct Batch {
  SharedFd fd;
  std::string object;
  size_t keySize, valueSize, count;
  std::vector<uint8_t> keys, values;
  uint64_t mode = 0;
  uint32_t deleted = 0;
  uint32_t first = 0, total = 0;  // where these elements stand in what the caller gave

  const uint8_t *key(size_t index) const { return keys.data() + index * keySize; }
  const uint8_t *value(size_t index) const { return values.data() + index * valueSize; }
  // The reason with the place of the element that failed.
  Failure failure(int error, const char *operation, size_t index) const {
    Failure reason(error, operation, object);
    reason.detail = "element " + std::to_string(first + index) + " of " + std::to_string(total) + ": " + reason.detail;
    return reason;
  }
};

// Arguments: map, first, total, keys, values?
std::shared_ptr<Batch> batchArgs(const Napi::CallbackInfo &info, const char *operation, bool withValues) {
  auto &map = handleArg<MapHandle>(info[0]);
  if (map.info.key_size == 0) throw Failure(EINVAL, operation, map.describe(), "the map has no keys");
  Bytes keys = bytesArg(info[3], "keys");
  if (keys.size % map.info.key_size != 0) {
    throw Failure(EINVAL, operation, map.describe(),
                  "keys have " + std::to_string(keys.size) + " bytes, not a multiple of " + std::to_string(map.info.key_size));
  }
  auto batch = std::make_shared<Batch>();
  batch->fd = map.fd;
  batch->object = map.describe();
  batch->keySize = map.info.key_size;
  batch->valueSize = map.valueBytes;
  batch->count = keys.size / map.info.key_size;
  if (withValues) batch->values = sizedArg(map, info[4], "values", batch->count * map.valueBytes, operation).copy();
  batch->keys = keys.copy();
  batch->first = numberArg(info[1], "first");
  batch->total = numberArg(info[2], "total");
  return batch;
}

void updateOneByOne(const Batch &batch, size_t from) {
  for (size_t index = from; index < batch.count; index++) {
    int result = bpf_map_update_elem(batch.fd->get(), batch.key(index), batch.value(index), batch.mode);
    if (result < 0) throw batch.failure(-result, "batch update", index);
  }
}

bool unsupported(int error) { return error == kKernelNotSupported || error == EOPNOTSUPP; }

void updateAll(const Batch &batch) {
  if (batch.count == 0) return;
  auto count = static_cast<uint32_t>(batch.count);
  LIBBPF_OPTS(bpf_map_batch_opts, options, .elem_flags = batch.mode);
  int result = bpf_map_update_batch(batch.fd->get(), batch.keys.data(), batch.values.data(), &count, &options);
  if (result == 0) return;
  if (unsupported(-result)) updateOneByOne(batch, 0);
  else throw batch.failure(-result, "batch update", count < batch.count ? count : 0);
}

void deleteOneByOne(Batch &batch) {
  for (size_t index = 0; index < batch.count; index++) {
    int result = bpf_map_delete_elem(batch.fd->get(), batch.key(index));
    if (result == 0) batch.deleted++;
    else if (result != -ENOENT) throw batch.failure(-result, "batch delete", index);
  }
}

// The kernel stops at the first missing key: step over it and go on.
void deleteAll(Batch &batch) {
  size_t index = 0;
  while (index < batch.count) {
    auto count = static_cast<uint32_t>(batch.count - index);
    int result = bpf_map_delete_batch(batch.fd->get(), batch.key(index), &count, nullptr);
    if (result < 0 && unsupported(-result) && index == 0) return deleteOneByOne(batch);
    if (result < 0 && result != -ENOENT) throw batch.failure(-result, "batch delete", index + (count < batch.count - index ? count : 0));
    batch.deleted += count;
    index += count + (result == -ENOENT ? 1 : 0);
  }
}

// mapBatchUpdate(map, first, total, keys, values, mode)
Napi::Value mapBatchUpdate(const Napi::CallbackInfo &info) {
  auto &map = handleArg<MapHandle>(info[0]);
  if (map.holdsDescriptors()) throw Failure(EINVAL, "batch update", map.describe(), "values of this map type are descriptors");
  auto batch = batchArgs(info, "batch update", true);
  batch->mode = numberArg(info[5], "mode");
  return runAsync(info.Env(), [batch] { updateAll(*batch); });
}

// mapBatchDelete(map, first, total, keys): Promise of the number of keys that were there.
Napi::Value mapBatchDelete(const Napi::CallbackInfo &info) {
  auto batch = batchArgs(info, "batch delete", false);
  return runAsync(info.Env(), [batch] { deleteAll(*batch); },
                  [batch](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, batch->deleted); });
}

}  // namespace

void exportMapBatch(Napi::Object &exports) {
  exportFunction<mapBatchUpdate>(exports, "mapBatchUpdate");
  exportFunction<mapBatchDelete>(exports, "mapBatchDelete");
}
