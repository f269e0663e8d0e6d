// For tests, a worker thread or a program (its parameters: the object's file, the namespace's path): opens one of
// everything that lives on the event loop and leaves it open. The program ends itself with 7 in the midst of it.
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { BpfMap } from "../bpf-map.ts";
import { BpfObject } from "../bpf-object.ts";
import { connectInNamespace } from "../namespace-sockets.ts";
import { RingBuffer } from "../ring-buffer.ts";

const [file, netnsPath]: string[] = isMainThread ? process.argv.slice(2) : workerData;
if (file === undefined || netnsPath === undefined) throw new Error("needs a file and a namespace");
const object = await BpfObject.open(file);
await object.load();
const ring = new RingBuffer(object.map("events"), () => undefined);
ring.ref();
using emit = object.program("emit");
await emit.testRun({ context: new Uint8Array(Uint32Array.of(100, 0).buffer) });
const map = BpfMap.create({ type: "hash", name: "many", keySize: 4, valueSize: 4, maxEntries: 100_000 });
const keys = new Uint8Array(Uint32Array.from({ length: 100_000 }, (_, i) => i).buffer);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- windows have origins, ports have not
parentPort?.postMessage("running");
// All of it is under way when the thread ends.
const work = Promise.allSettled([
  map.batchUpdate(keys, keys),
  map.batchLookup(),
  BpfObject.open(file),
  connectInNamespace(netnsPath, { address: "127.0.0.1", port: 9, timeoutMs: 600_000 }),
]);
if (isMainThread) setImmediate(() => process.exit(7));
await work;
