import { workloadValue } from "@keelson/bpf";
import { BpfError, BpfMap } from "bpf-maps-native";
import { expect } from "vitest";
import { kernelTest } from "../kernel.test-helper.ts";
import { PodMap } from "./pod-map.ts";

const makeMap = (maxEntries = 16): BpfMap =>
  BpfMap.create({
    type: "hash",
    name: "pods",
    keySize: 8,
    valueSize: workloadValue.size,
    maxEntries,
    flags: 1, // BPF_F_NO_PREALLOC, as in bpf/maps.h
  });

async function contentOf(map: BpfMap): Promise<Record<string, [bigint, number]>> {
  const { count, keys, values } = await map.batchLookup();
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => {
      const { workload, leftAlone } = workloadValue.decode(values.subarray(i * workloadValue.size));
      return [String(Buffer.from(keys).readBigUInt64LE(i * 8)), [workload, leftAlone]];
    }),
  );
}

kernelTest(
  "a map of pods holds what is wanted, also where an earlier applier has left something",
  async () => {
    using map = makeMap();
    const first = await PodMap.adopt(map);
    first.write(
      new Map([
        [1n, { workload: 11n, leftAlone: false }],
        [2n, { workload: 22n, leftAlone: true }],
      ]),
    );
    expect(await contentOf(map)).toEqual({ 1: [11n, 0], 2: [22n, 1] });
    const next = await PodMap.adopt(map);
    next.write(
      new Map([
        [2n, { workload: 22n, leftAlone: false }],
        [1n << 40n, { workload: 33n, leftAlone: false }],
      ]),
    );
    expect(await contentOf(map)).toEqual({ 2: [22n, 0], [String(1n << 40n)]: [33n, 0] });
  },
);

kernelTest(
  "a map of pods that is full keeps what it has, and takes the rest once there is room",
  async () => {
    using map = makeMap(1);
    const pods = await PodMap.adopt(map);
    const entry = { workload: 1n, leftAlone: false };
    expect(() =>
      pods.write(
        new Map([
          [1n, entry],
          [2n, entry],
        ]),
      ),
    ).toThrow(BpfError);
    expect(Object.keys(await contentOf(map))).toEqual(["1"]);
    pods.write(new Map([[2n, entry]]));
    expect(Object.keys(await contentOf(map))).toEqual(["2"]);
  },
);
