import { setTimeout as sleep } from "node:timers/promises";
import { command, commandKind } from "@keelson/bpf";
import { BpfMap, BpfProgram } from "bpf-maps-native";
import { indexKey } from "../bank-headers.ts";
import { exists } from "../pinned-maps.ts";
import type { PinFolder } from "../pins.ts";

/** How long is waited for callers that do not read what came to them past TCP: it is lost with the map. */
const patienceMs = 10_000;
const pauseMs = 10;

/**
 * Before sockets leave `callers`: what lies in their queues of redirected data would be lost. Sends go by TCP from now on, and it
 * is waited until all that went past it is read.
 */
export async function drainQueues(pins: PinFolder): Promise<void> {
  const [callersPin, commandPin] = [pins.map("callers"), pins.map("command")];
  if (!(await exists(callersPin)) || !(await exists(commandPin))) return;
  for (const name of ["request_programs", "answer_programs"]) await emptyArray(pins.map(name));
  using callers = BpfMap.openPinned(callersPin);
  using asked = BpfProgram.openPinned(commandPin);
  const deadline = performance.now() + patienceMs;
  for await (const key of callers.keys()) {
    while (performance.now() < deadline && (await hasUnread(asked, key))) await sleep(pauseMs);
  }
}

async function hasUnread(asked: BpfProgram, key: Uint8Array): Promise<boolean> {
  const cookie = new DataView(key.buffer, key.byteOffset).getBigUint64(0, true);
  const nobody = { network: 0n, workload: 0n, endpoint: 0n, isReusable: 0 };
  const data = command.encode({ ...nobody, cookie, kind: commandKind.hasUnread.value });
  return (await asked.testRun({ data })).returnValue === 1;
}

async function emptyArray(pin: string): Promise<void> {
  if (!(await exists(pin))) return;
  using programs = BpfMap.openPinned(pin);
  for (let place = 0; place < programs.info.maxEntries; place++)
    await programs.deleteReference(indexKey(place));
}
