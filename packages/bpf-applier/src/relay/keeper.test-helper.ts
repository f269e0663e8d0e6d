import { relayValue } from "@keelson/bpf";
import { BpfMap } from "bpf-maps-native";
import { onTestFinished } from "vitest";
import type { StartRelay } from "./relay.ts";
import { RelayKeeper } from "./relay-keeper.ts";
import { RelayMap } from "./relay-map.ts";

/** A keeper with the map of which it tells programs, and what it could not do; closed with its test. */
export function makeKeeper(start: StartRelay, patienceMs = 10_000, listenersLast = false) {
  const errors: string[] = [];
  const map = BpfMap.create({
    type: "hash",
    name: "relays",
    keySize: 8,
    valueSize: relayValue.size,
    maxEntries: 16,
    flags: 1, // BPF_F_NO_PREALLOC, as in bpf/maps.h
  });
  const keeper = new RelayKeeper({
    start,
    map: new RelayMap(map),
    patienceMs,
    listenersLast,
    onError: (what, error) => errors.push(`${what}: ${error.message}`),
  });
  onTestFinished(async () => {
    await keeper.close();
    map.close();
  });
  return { keeper, map, errors };
}
