// A program for tests: reads basic.bpf.c's ring buffer, with nothing else to wait for.
// Parameters: the object's file; "ref", "unref" or "throw".
import { BpfObject } from "../bpf-object.ts";
import { RingBuffer } from "../ring-buffer.ts";

const [, , file = "", mode] = process.argv;
const object = await BpfObject.open(file);
await object.load();
const ring = new RingBuffer(object.map("events"), (bytes) => {
  const record = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  console.log(`record ${record}`);
  if (record === 6n) ring.close();
  if (mode === "throw") throw new Error(`thrown for record ${record}`);
});
process.on("uncaughtException", ({ message }) => {
  console.log(message);
});
ring.unref();
if (mode !== "unref") ring.ref();
// Whoever started it can run the program that writes records.
console.log(object.program("emit").info.id);
