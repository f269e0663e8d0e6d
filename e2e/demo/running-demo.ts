// What a demo that runs leaves for `send` and `exec` in the world's folder.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Applier, type ApplierPlace } from "../world/applier.ts";
import { holderOf } from "../world/lock.ts";
import { WorldNames } from "../world/names.ts";
import { Pod, type PodPlace, type PodRecord } from "../world/pod.ts";
import type { World } from "../world/world.ts";

interface DemoRecord {
  readonly pods: readonly { readonly record: PodRecord; readonly place: PodPlace }[];
  readonly applier: ApplierPlace;
}

const recordFile = (names: WorldNames): string => join(names.folder, "demo.json");

export async function writeRecord(world: World): Promise<void> {
  const pods = [...world.pods.values()].map(({ name, uid, labels, node, ipv4, ipv6, place }) => ({
    record: { name, uid, labels, node, ipv4, ipv6 },
    place,
  }));
  const record: DemoRecord = { pods, applier: world.applier().place };
  await writeFile(recordFile(world.names), JSON.stringify(record));
}

/** Pods and applier of a demo that another process runs. */
export class RunningDemo {
  readonly applier: Applier;
  private readonly pods: readonly Pod[];

  private constructor({ pods, applier }: DemoRecord) {
    this.pods = pods.map(({ record, place }) => new Pod(record, place));
    this.applier = new Applier(applier);
  }

  /** @throws Error if none runs under this name. */
  static async find(world: string): Promise<RunningDemo> {
    const names = new WorldNames(world);
    const none = `no demo runs here under the name "${world}"; start one with: npm run demo`;
    if ((await holderOf(names))?.purpose !== "owner") throw new Error(none);
    const text = await readFile(recordFile(names), "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
      throw new Error(`the demo "${world}" is not up yet; wait until it says so`);
    });
    return new RunningDemo(JSON.parse(text) as DemoRecord);
  }

  /** @throws Error naming the pods there are. */
  pod(name: string): Pod {
    const pod = this.pods.find((one) => one.name === name);
    if (pod !== undefined) return pod;
    throw new Error(`the demo has no pod "${name}", only ${this.pods.map((one) => one.name).join(", ")}`);
  }
}
