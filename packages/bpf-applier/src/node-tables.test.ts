import { relayValue } from "@keelson/bpf";
import { objectPath } from "@keelson/bpf/object";
import { BpfMap, BpfObject } from "bpf-maps-native";
import { expect } from "vitest";
import { Banks } from "./banks.ts";
import { endpoint, endpointSetsUpdate, service, servicesUpdate } from "./builders.test-helper.ts";
import { InnerMaps } from "./inner-maps.ts";
import { kernelTest } from "./kernel.test-helper.ts";
import { NodeTables } from "./node-tables.ts";
import { PinFolder } from "./pins.ts";
import { RelayKeeper } from "./relay/relay-keeper.ts";
import { RelayMap } from "./relay/relay-map.ts";
import { standIns } from "./relay/stand-in.test-helper.ts";

kernelTest(
  "an update that cannot be written leaves an earlier agent's relay with what that has told it",
  async () => {
    await using stack = new AsyncDisposableStack();
    const pins = await PinFolder.create(`keelson-tables-${process.pid}`);
    stack.defer(() => pins.remove());
    const object = stack.use(await BpfObject.open(objectPath));
    await object.load();
    const [active, services, slots] = ["active", "services", "slots"].map((name) =>
      stack.use(object.map(name)),
    ) as [BpfMap, BpfMap, BpfMap];
    const banks = await Banks.open({ active, services, slots }, new InnerMaps((name) => pins.map(name)));
    stack.defer(() => banks.close());
    const relays = stack.use(
      BpfMap.create({ type: "hash", name: "relays", keySize: 8, valueSize: relayValue.size, maxEntries: 1 }),
    );
    const { started, inheritedIn } = standIns();
    const onError = (_: string, error: Error): never => expect.unreachable(error.message);
    const relay = new RelayKeeper({ start: inheritedIn(1n), map: new RelayMap(relays), onError });
    stack.defer(() => relay.close());
    await relay.start();
    const tables = new NodeTables({
      banks,
      relay,
      matchTables: undefined,
      rings: undefined,
      onTable: () => undefined,
      onMatchTable: () => Promise.resolve(),
      onMatchTableError: (error) => expect.unreachable(String(error)),
    });
    stack.defer(() => tables.close());
    await tables.apply(tables.stage(endpointSetsUpdate({ all: [endpoint("10.0.0.1")] })));

    active.freeze();
    const staged = tables.stage(servicesUpdate([service("web.default.svc.cluster.local")]));
    await expect(tables.apply(staged)).rejects.toThrow(/EPERM/);
    expect(started[0]?.policy).toBeUndefined();
  },
);
