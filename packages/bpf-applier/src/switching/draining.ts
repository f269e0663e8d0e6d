import { setTimeout as sleep } from "node:timers/promises";
import { BpfMap, BpfProgram } from "bpf-maps-native";
import { indexKey } from "../bank-headers.ts";
import { exists } from "../pinned-maps.ts";
import type { PinFolder } from "../pins.ts";
import { cookieOf } from "../relay/cookie-key.ts";
import { CommandProgram } from "../relay/process/switching/command-program.ts";

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
  using program = BpfProgram.openPinned(commandPin);
  const command = new CommandProgram(program);
  const deadline = performance.now() + patienceMs;
  for await (const key of callers.keys()) {
    while (performance.now() < deadline && (await command.hasUnread(cookieOf(key)))) await sleep(pauseMs);
  }
}

async function emptyArray(pin: string): Promise<void> {
  if (!(await exists(pin))) return;
  using programs = BpfMap.openPinned(pin);
  for (let place = 0; place < programs.info.maxEntries; place++)
    await programs.deleteReference(indexKey(place));
}
