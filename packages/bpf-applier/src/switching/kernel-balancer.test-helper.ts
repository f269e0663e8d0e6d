import {
  slotKey,
  slotValue,
  switchedDestinationKey,
  switchedDestinationValue,
  tallyKey,
  tallyValue,
} from "@keelson/bpf";
import { balanceTryObjectPath } from "@keelson/bpf/object";
import { type BpfMap, BpfObject } from "bpf-maps-native";
import { indexKey } from "../bank-headers.ts";
import { type Entry, endpointIdentifier } from "../slots.ts";
import { keyText, TableBank, type TableShape } from "../table-bank.ts";
import { balancedDestination, type FamilyDestination } from "./balanced-destinations.ts";

const first = indexKey(0);

/** What programs choose for one destination (bpf/switching/balance-try.bpf.c). */
export class KernelBalancer {
  private readonly object: BpfObject;
  private readonly id: bigint;
  private readonly names: ReadonlyMap<bigint, string>;

  private constructor(object: BpfObject, id: bigint, names: ReadonlyMap<bigint, string>) {
    this.object = object;
    this.id = id;
    this.names = names;
  }

  static async load(destination: FamilyDestination, nameOf: (at: number) => string): Promise<KernelBalancer> {
    const object = await BpfObject.open(balanceTryObjectPath);
    await object.load();
    const { id, entry, slots } = balancedDestination(1n, "IPv4", destination);
    await fill(object, "slots", { keySize: slotKey.size, valueSize: slotValue.size }, slots);
    const sizes = { keySize: switchedDestinationKey.size, valueSize: switchedDestinationValue.size };
    await fill(object, "switched_destinations", sizes, [entry]);
    const names = destination.endpoints.map(
      (endpoint, at) => [endpointIdentifier(endpoint), nameOf(at)] as const,
    );
    return new KernelBalancer(object, id, new Map(names));
  }

  async pick(): Promise<string> {
    using choice = this.object.map("choice");
    using program = this.object.program("try_choose");
    const asked = new Uint8Array(choice.info.valueSize);
    new DataView(asked.buffer).setBigUint64(0, this.id, true);
    choice.update(first, asked);
    const { returnValue } = await program.testRun();
    if (returnValue !== 0) throw new Error(`the program ended with ${returnValue}`);
    const found = Buffer.from(choice.lookup(first) ?? []).readBigUInt64LE(8);
    return this.names.get(found) ?? `endpoint ${found}`;
  }

  /** As if requests to an endpoint were under way. */
  setUnderWay(name: string, count: number): void {
    const [endpoint = 0n] = [...this.names].find(([, each]) => each === name) ?? [];
    using tallies = this.object.map("tallies");
    const key = tallyKey.encode({ destination: this.id, endpoint });
    tallies.update(key, tallyValue.encode({ born: 1n, count: BigInt(count) }));
  }

  [Symbol.dispose](): void {
    this.object.close();
  }
}

async function fill(
  object: BpfObject,
  name: string,
  shape: Omit<TableShape, "name">,
  entries: readonly Entry[],
): Promise<void> {
  const bank = TableBank.create({ name, ...shape }, entries.length);
  const wanted = new Map(entries.map(({ key, value }) => [keyText(key), value]));
  for (const key of wanted.keys()) bank.markDirty(key);
  await bank.write(wanted);
  using outer: BpfMap = object.map(name);
  await outer.setInner(first, bank.map);
  bank.close();
}
