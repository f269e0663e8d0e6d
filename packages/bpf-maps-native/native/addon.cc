// The addon's entry: one line per file of functions.
#include <napi.h>

#include "border.h"
#include "names.h"
#include "pins.h"
#include "print-log.h"

void exportObject(Napi::Object &exports);
void exportBtf(Napi::Object &exports);
void exportMap(Napi::Object &exports);
void exportMapBatch(Napi::Object &exports);
void exportMapWalk(Napi::Object &exports);
void exportMapReferences(Napi::Object &exports);
void exportProgram(Napi::Object &exports);
void exportAttach(Napi::Object &exports);
void exportClsact(Napi::Object &exports);
void exportLink(Napi::Object &exports);
void exportPoll(Napi::Object &exports);
void exportRingBuffer(Napi::Object &exports);
void exportSockets(Napi::Object &exports);
void exportHeld(Napi::Object &exports);
void exportSocketPump(Napi::Object &exports);
void exportHangUps(Napi::Object &exports);
void exportProbes(Napi::Object &exports);
void exportNetfilter(Napi::Object &exports);

static Napi::Object init(Napi::Env, Napi::Object exports) {
  capturePrints();
  exportBorder(exports);
  exportNames(exports);
  exportPins(exports);
  exportObject(exports);
  exportBtf(exports);
  exportMap(exports);
  exportMapBatch(exports);
  exportMapWalk(exports);
  exportMapReferences(exports);
  exportProgram(exports);
  exportAttach(exports);
  exportClsact(exports);
  exportLink(exports);
  exportPoll(exports);
  exportRingBuffer(exports);
  exportSockets(exports);
  exportHeld(exports);
  exportSocketPump(exports);
  exportHangUps(exports);
  exportProbes(exports);
  exportNetfilter(exports);
  return exports;
}

NODE_API_MODULE(bpf_maps_native, init)
