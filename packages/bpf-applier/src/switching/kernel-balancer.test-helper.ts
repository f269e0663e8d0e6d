import {
  type SwitchedKeyValue,
  slotKey,
  slotValue,
  switchedDestinationKey,
  switchedDestinationValue,
  switchedKeyValue,
  tallyKey,
  tallyValue,
} from "@keelson/bpf";
import { balanceTryObjectPath } from "@keelson/bpf/object";
import { type BpfMap, BpfObject } from "bpf-maps-native";
import { indexKey } from "../bank-headers.ts";
import { type Entry, endpointIdentifier } from "../slots.ts";
import { keyText, TableBank, type TableShape } from "../table-bank.ts";
import { balancedDestination, type FamilyDestination } from "./balanced-destinations.ts";
import { RingMaps } from "./ring-maps.ts";

const first = indexKey(0);
/** Of `struct try_choice`. */
const offsets = {
  destination: 0,
  hash: 8,
  endpoint: 16,
  key: 24,
  length: 104,
  isOdd: 108,
  hasKey: 112,
  bytes: 120,
};

interface Tried {
  readonly destination?: bigint;
  readonly hash?: bigint;
  readonly key?: SwitchedKeyValue;
  readonly head?: Uint8Array;
}

async function runTry(object: BpfObject, name: string, tried: Tried): Promise<DataView> {
  using choice = object.map("choice");
  using program = object.program(name);
  const asked = new Uint8Array(choice.info.valueSize);
  const view = new DataView(asked.buffer);
  view.setBigUint64(offsets.destination, tried.destination ?? 0n, true);
  view.setBigUint64(offsets.hash, tried.hash ?? 0n, true);
  if (tried.key !== undefined) asked.set(switchedKeyValue.encode(tried.key), offsets.key);
  view.setUint32(offsets.length, tried.head?.length ?? 0, true);
  asked.set(tried.head ?? [], offsets.bytes);
  choice.update(first, asked);
  const { returnValue } = await program.testRun();
  if (returnValue !== 0) throw new Error(`${name} ended with ${returnValue}`);
  const found = choice.lookup(first) ?? new Uint8Array();
  return new DataView(found.buffer, found.byteOffset, found.byteLength);
}

/** What programs find of a key in heads of requests. */
export class KernelKeys {
  private readonly object: BpfObject;

  private constructor(object: BpfObject) {
    this.object = object;
  }

  static async load(): Promise<KernelKeys> {
    const object = await BpfObject.open(balanceTryObjectPath);
    await object.load();
    return new KernelKeys(object);
  }

  /** @returns the hash; "none": the head has no key; "odd": it is the relay's */
  async hash(key: SwitchedKeyValue, head: Uint8Array): Promise<bigint | "none" | "odd"> {
    const found = await runTry(this.object, "try_key", { key, head });
    if (found.getUint32(offsets.isOdd, true) === 1) return "odd";
    return found.getUint32(offsets.hasKey, true) === 1 ? found.getBigUint64(offsets.hash, true) : "none";
  }

  [Symbol.dispose](): void {
    this.object.close();
  }
}

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
    const balanced = balancedDestination(1n, "IPv4", destination);
    if (balanced === undefined) throw new Error("it takes more room than there is");
    const { id, entry, slots, ring } = balanced;
    await fill(object, "slots", { keySize: slotKey.size, valueSize: slotValue.size }, slots);
    const sizes = { keySize: switchedDestinationKey.size, valueSize: switchedDestinationValue.size };
    await fill(object, "switched_destinations", sizes, [entry]);
    using rings = object.map("rings");
    await (await RingMaps.adopt(rings)).add(ring === undefined ? [] : [ring]);
    const names = destination.endpoints.map(
      (endpoint, at) => [endpointIdentifier(endpoint), nameOf(at)] as const,
    );
    return new KernelBalancer(object, id, new Map(names));
  }

  /** @param hash of the key, where the destination is found by one */
  async pick(hash = 0n): Promise<string> {
    const found = await runTry(this.object, "try_choose", { destination: this.id, hash });
    const endpoint = found.getBigUint64(offsets.endpoint, true);
    return this.names.get(endpoint) ?? `endpoint ${endpoint}`;
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
