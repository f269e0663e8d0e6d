import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BpfMap, BpfProgram } from "bpf-maps-native";
import { indexKey } from "../bank-headers.ts";
import { exists } from "../pinned-maps.ts";

/** The pin of the program that says whether a socket has unread what came to it past TCP; in all layouts alike (unread.h). */
export const unreadPin = "unread";

/** How long is waited for callers that do not read what came to them past TCP. */
const patienceMs = 10_000;
const pauseMs = 10;
/** Bytes of a packet; the kernel takes none that is shorter than a head of Ethernet. */
const packetBytes = 32;

/**
 * Before sockets leave `callers`: what lies in their queues of redirected data would be lost. Sends go by TCP from now on, and it
 * is waited until all that went past it is read, for 10 s at most.
 * @param folder of the maps' pins, of whatever layouts
 * @returns false: somebody has not read all, and would lose it with the map
 */
export async function drainQueues(folder: string): Promise<boolean> {
  const [callersPin, pin] = [join(folder, "callers"), join(folder, unreadPin)];
  if (!(await exists(callersPin)) || !(await exists(pin))) return true;
  for (const name of ["request_programs", "answer_programs"]) await emptyArray(join(folder, name));
  await sleep(pauseMs); // a program that was called just before has gone on by then
  using callers = BpfMap.openPinned(callersPin);
  using program = BpfProgram.openPinned(pin);
  const deadline = performance.now() + patienceMs;
  for await (const cookie of callers.keys()) {
    while (await hasUnread(program, cookie)) {
      if (performance.now() > deadline) return false;
      await sleep(pauseMs);
    }
  }
  return true;
}

async function hasUnread(program: BpfProgram, cookie: Uint8Array): Promise<boolean> {
  const data = new Uint8Array(packetBytes);
  data.set(cookie);
  return (await program.testRun({ data })).returnValue === 1;
}

async function emptyArray(pin: string): Promise<void> {
  if (!(await exists(pin))) return;
  using programs = BpfMap.openPinned(pin);
  for (let place = 0; place < programs.info.maxEntries; place++)
    await programs.deleteReference(indexKey(place));
}
