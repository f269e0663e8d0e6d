import { serviceKey, serviceValue, slotKey, slotValue } from "@keelson/bpf";
import { objectPath } from "@keelson/bpf/object";
import { BpfMap, BpfObject } from "bpf-maps-native";
import { expect } from "vitest";
import { Banks, type OuterMaps } from "./banks.ts";
import { InnerMaps } from "./inner-maps.ts";
import { kernelTest } from "./kernel.test-helper.ts";
import { PinFolder } from "./pins.ts";
import { keyText, noPreallocation } from "./table-bank.ts";

const index = (n: number): Uint8Array => new Uint8Array(new Uint32Array([n]).buffer);

/** Maps as the applier has them: pinned in a folder of the test's own. */
async function withMaps(body: (outer: OuterMaps, inner: InnerMaps) => Promise<void>): Promise<void> {
  const pins = await PinFolder.create(`keelson-banks-${process.pid}`);
  using object = await BpfObject.open(objectPath);
  try {
    await object.load();
    const outer = {
      active: object.map("active"),
      services: object.map("services"),
      slots: object.map("slots"),
    };
    await body(outer, new InnerMaps((name) => pins.map(name)));
  } finally {
    await pins.remove();
  }
}

const key = (n: number): string =>
  keyText(serviceKey.encode({ address: new Uint8Array(16).fill(n), port: n, protocol: 6 }));
const value = (n: number): Uint8Array =>
  serviceValue.encode({
    service: BigInt(n),
    slots: BigInt(n),
    slotCount: n,
    home: 0,
    isHttp: 0,
    isSwitched: 0,
  });
const services = (...entries: [number, number | undefined][]) => ({
  services: new Map(entries.map(([k, v]) => [key(k), v === undefined ? undefined : value(v)])),
  slots: new Map<string, Uint8Array | undefined>(),
});

/** What a program that starts now would see. */
async function seen(outer: OuterMaps): Promise<Record<string, number>> {
  using header = BpfMap.openById(outer.active.innerId(index(0)) ?? 0);
  const bank = new DataView(header.lookup(index(0))?.buffer ?? new ArrayBuffer(16)).getUint32(8, true);
  using map = BpfMap.openById(outer.services.innerId(index(bank)) ?? 0);
  const content: Record<string, number> = {};
  for await (const entry of map.entries()) {
    content[serviceKey.decode(entry.key).port] = serviceValue.decode(entry.value).slotCount;
  }
  return content;
}

kernelTest("every commit is what programs see, whichever bank it is in", async () => {
  await withMaps(async (outer, inner) => {
    const banks = await Banks.open(outer, inner);
    await banks.commit(services([1, 1], [2, 2]));
    expect(await seen(outer)).toEqual({ 1: 1, 2: 2 });
    await banks.commit(services([1, 10]));
    expect(await seen(outer)).toEqual({ 1: 10, 2: 2 });
    await banks.commit(services([2, undefined], [3, 3]));
    expect(await seen(outer)).toEqual({ 1: 10, 3: 3 });
    await banks.commit(services([3, undefined], [1, undefined]));
    expect(await seen(outer)).toEqual({});
    expect(banks.flips).toBe(4n);
    banks.close();
  });
});

kernelTest("a bank grows when it is too small, and nothing is lost", async () => {
  await withMaps(async (outer, inner) => {
    const banks = await Banks.open(outer, inner);
    const slots = new Map(
      Array.from({ length: 10_000 }, (_, i) => [
        keyText(slotKey.encode({ slots: 1n, index: i })),
        slotValue.encode({
          weight: 0,
          endpoint: BigInt(i),
          address: new Uint8Array(16),
          alias: i,
          threshold: i,
          port: 1,
        }),
      ]),
    );
    await banks.commit({ services: new Map([[key(1), value(1)]]), slots });
    await banks.commit(services([2, 2]));
    expect(await seen(outer)).toEqual({ 1: 1, 2: 2 });
    for (const bank of [0, 1]) {
      using map = BpfMap.openById(outer.slots.innerId(index(bank)) ?? 0);
      expect((await map.batchLookup()).count).toBe(10_000);
    }
    banks.close();
  });
});

kernelTest("who opens the tables again finds their content, and replaces what nobody wants", async () => {
  await withMaps(async (outer, inner) => {
    const first = await Banks.open(outer, inner);
    await first.commit(services([1, 1], [2, 2]));
    await first.commit(services([3, 3]));
    first.close();
    const second = await Banks.open(outer, inner);
    expect(await seen(outer)).toEqual({ 1: 1, 2: 2, 3: 3 });
    expect(second.flips).toBe(2n);
    await second.replace(services([3, 30]));
    expect(await seen(outer)).toEqual({ 3: 30 });
    await second.commit(services([4, 4]));
    expect(await seen(outer)).toEqual({ 3: 30, 4: 4 });
    second.close();
  });
});

kernelTest("a bank that an applier had no time to pin is made anew, unless programs read it", async () => {
  await withMaps(async (outer, inner) => {
    const first = await Banks.open(outer, inner);
    await first.commit(services([1, 1]));
    first.close();
    const strange = BpfMap.create({
      type: "hash",
      name: "services_bank",
      keySize: serviceKey.size,
      valueSize: serviceValue.size,
      maxEntries: 7,
      flags: noPreallocation,
    });
    // The first commit made bank 1 live.
    await outer.services.setInner(index(0), strange);
    const second = await Banks.open(outer, inner);
    expect(await seen(outer)).toEqual({ 1: 1 });
    await second.replace(services([2, 2]));
    await second.commit(services([3, 3]));
    expect(await seen(outer)).toEqual({ 2: 2, 3: 3 });
    second.close();
    await outer.services.setInner(index(1), strange);
    strange.close();
    await expect(Banks.open(outer, inner)).rejects.toThrow(/not the one pinned as "services_bank_1"/);
  });
});

kernelTest(
  "a commit that the kernel refuses changes nothing that programs see, nor a later commit",
  async () => {
    await withMaps(async (outer, inner) => {
      const banks = await Banks.open(outer, inner);
      await banks.commit(services([1, 1]));
      const wrongSize = { services: new Map([["short", value(9)]]), slots: new Map<string, Uint8Array>() };
      await expect(banks.commit(wrongSize)).rejects.toThrow();
      expect(await seen(outer)).toEqual({ 1: 1 });
      await banks.commit(services([2, 2]));
      expect(await seen(outer)).toEqual({ 1: 1, 2: 2 });
      banks.close();
    });
  },
);
