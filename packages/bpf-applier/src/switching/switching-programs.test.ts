import { existsSync } from "node:fs";
import { requestProgram } from "@keelson/bpf";
import { BpfMap } from "bpf-maps-native";
import { expect } from "vitest";
import { indexKey } from "../bank-headers.ts";
import { kernelTest } from "../kernel.test-helper.ts";
import { PinFolder } from "../pins.ts";
import { Programs } from "../programs.ts";
import type { SocketMode } from "../request-programs.ts";
import { switchingPins } from "./switching-programs.ts";

async function withPins(body: (pins: PinFolder) => Promise<void>): Promise<void> {
  const pins = await PinFolder.create(`keelson-switching-${process.pid}`);
  try {
    await body(pins);
  } finally {
    await pins.remove();
  }
}

/** An agent that starts in this mode, on a node without pods, and ends. */
async function start(pins: PinFolder, mode: SocketMode): Promise<void> {
  const programs = await Programs.load(pins, {}, mode);
  try {
    expect(programs.sockets).toEqual({ mode });
    await programs.attach(pins, []);
    await programs.leaveOthers(pins);
  } finally {
    programs.close();
  }
}

/** Ids of the programs by which requests and answers come. */
function called(pins: PinFolder): (number | undefined)[] {
  using requests = BpfMap.openPinned(pins.map("request_programs"));
  using answers = BpfMap.openPinned(pins.map("answer_programs"));
  const looking = Object.values(requestProgram).map(({ value }) => requests.programId(indexKey(value)));
  return [...looking, answers.programId(indexKey(0))];
}

kernelTest("an agent that follows another has its programs called, by the same maps", async () => {
  await withPins(async (pins) => {
    await start(pins, "switch");
    const before = called(pins);
    using links = BpfMap.openPinned(pins.map("links"));
    await start(pins, "switch");
    const after = called(pins);
    expect([...before, ...after]).not.toContain(undefined);
    expect(after.filter((id) => before.includes(id))).toEqual([]);
    using same = BpfMap.openPinned(pins.map("links"));
    expect(same.info.id).toBe(links.info.id);
    expect(existsSync(pins.map("command"))).toBe(true);
  });
});

kernelTest("a lower mode leaves nothing of these programs, and a higher one brings them again", async () => {
  await withPins(async (pins) => {
    const left = (): string[] => switchingPins.filter((name) => existsSync(pins.map(name)));
    await start(pins, "switch");
    using requests = BpfMap.openPinned(pins.map("request_programs"));
    const isCalled = (): boolean[] =>
      [0, 1, 2].map((place) => requests.programId(indexKey(place)) !== undefined);
    expect(isCalled()).toEqual([true, true, true]);
    await start(pins, "count");
    expect(isCalled()).toEqual([true, false, false]);
    expect(left()).toEqual([]);
    await start(pins, "switch");
    expect(called(pins)).not.toContain(undefined);
    await start(pins, "off");
    expect(left()).toEqual([]);
    expect(existsSync(pins.map("request_programs"))).toBe(false);
  });
});

kernelTest("where these programs cannot be had, the others are, and it is said why", async () => {
  await withPins(async (pins) => {
    using strange = BpfMap.create({ type: "hash", name: "strange", keySize: 4, valueSize: 4, maxEntries: 1 });
    strange.pin(pins.map("links"));
    const programs = await Programs.load(pins, {}, "switch");
    try {
      expect(programs.sockets).toMatchObject({
        mode: "count",
        lowerBecause: expect.stringContaining("links"),
      });
      expect(programs.switching).toBeUndefined();
      await programs.attach(pins, []);
      await programs.leaveOthers(pins);
    } finally {
      programs.close();
    }
    // What was in the way is gone with all else that belongs to them.
    await start(pins, "switch");
  });
});
