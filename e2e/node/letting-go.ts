import assert from "node:assert/strict";
import { access, rm } from "node:fs/promises";
import { hooks, type PinFolder } from "@keelson/bpf-applier";
import { BpfLink, unpin } from "bpf-maps-native";
import { Applier, uninstallNode, uninstallRunning } from "../world/applier.ts";
import { until } from "../world/until.ts";
import {
  allKernelObjects,
  pinnedObjects,
  untilAsBefore,
  untilGone,
  untilNothingNew,
} from "./kernel-objects.ts";
import type { NodeWorld } from "./node-world.ts";
import type { NodeScenario } from "./scenarios.ts";

/** Moments at which the agent's start, and then an uninstall, are cut short. */
interface Crash {
  /** Of all programs above all folders of pods: how many are attached, at the least, when the agent is killed. */
  readonly links: number;
  /** Leaves the node as an uninstall does that was killed: its steps in the order in which it does them. */
  readonly cutUninstall: (pins: PinFolder) => Promise<void>;
}

const crashes: readonly Crash[] = [
  {
    links: 3,
    // A program is detached, and still pinned.
    cutUninstall: async (pins) => {
      const [first = ""] = await pins.links();
      using link = BpfLink.openPinned(pins.link(first));
      link.detach();
    },
  },
  {
    links: 8,
    cutUninstall: async (pins) => {
      for (const name of (await pins.links()).slice(0, 5)) {
        using link = BpfLink.openPinned(pins.link(name));
        link.detach();
        unpin(pins.link(name));
      }
    },
  },
  {
    links: 0,
    // All programs are gone, and a map.
    cutUninstall: async (pins) => {
      await rm(pins.link(""), { recursive: true, force: true });
      unpin(pins.map("services"));
    },
  },
];

async function installAgain(node: NodeWorld): Promise<void> {
  await node.startApplier();
  await node.world.settled();
  await node.assertDecided(node.reviews.caller);
}

/** Ends the agent in the middle of its start, when its maps are pinned and so many programs are attached. */
async function endAtStart<T>(node: NodeWorld, links: number, end: () => Promise<T>): Promise<T> {
  const pins = await node.pins();
  const starting = node.startApplier().catch(() => undefined);
  await until(
    async () => {
      await access(pins.map("services"));
      return node.applier.pid !== undefined && (await pins.links()).length >= links;
    },
    { what: `${links} programs of ${node.applier.node} to be attached` },
  );
  const how = await end();
  await starting;
  return how;
}

export const lettingGoScenarios: readonly NodeScenario[] = [
  {
    name: "an uninstall beside the agent leaves nothing of it in the kernel, and the agent does nothing any more",
    async run(node) {
      const own = await pinnedObjects(await node.pins());
      assert.equal(own.link.size, hooks.length * (await node.applier.status()).attachedTo.length);
      await uninstallRunning(node.applier);
      await untilGone(own);
      await node.assertUntouched(node.reviews.caller);
      const { idleBecause } = await node.applier.status();
      assert.match(idleBecause ?? "", /uninstalled/);
      assert.deepEqual(await (await node.pins()).links(), []);
      await node.applier.stop();
      await installAgain(node);
    },
  },
  {
    name: "a second agent with a run folder of its own, as in another container, ends, and says which one has the node",
    async run(node) {
      const { place, pid } = node.applier;
      const runFolder = `${place.runFolder}-other`;
      const second = new Applier({ ...place, runFolder, logFile: `${place.logFile}-other` });
      try {
        await assert.rejects(
          second.start(),
          new RegExp(`ended with code 1; [^]*another bpf-applier has [^]*process ${pid}, `),
        );
        assert.equal((await node.applier.status()).displaced, undefined);
        await node.assertDecided(node.reviews.caller);
      } finally {
        await second.kill();
        await rm(runFolder, { recursive: true, force: true });
      }
    },
  },
  {
    name: "an agent whose pins somebody has removed says so, and a new start puts its programs back",
    async run(node) {
      await rm((await node.pins()).path, { recursive: true });
      await node.assertUntouched(node.reviews.caller);
      await until(async () => (await node.applier.status()).displaced, { what: "the agent to see it" });
      await node.applier.stop();
      await installAgain(node);
      assert.equal((await node.applier.status()).displaced, undefined);
    },
  },
  {
    name: "one that is asked to end in the middle of its start ends in order, and the next one serves the node",
    async run(node) {
      await node.applier.stop();
      await uninstallNode(node.applier.node);
      assert.equal(await endAtStart(node, 0, () => node.applier.stop()), "code 0");
      await installAgain(node);
    },
  },
  {
    name: "after crashes in the middle of a start and of an uninstall, an uninstall leaves all lists as they were",
    async run(node, scale) {
      await node.applier.stop();
      await uninstallNode(node.applier.node);
      const before = allKernelObjects();
      for (const { links, cutUninstall } of crashes.slice(0, scale.crashes)) {
        await endAtStart(node, links, () => node.applier.kill());
        const pins = await node.pins();
        await cutUninstall(pins);
        await uninstallNode(node.applier.node);
        await untilNothingNew(before, pins);
        if (scale.alone) await untilAsBefore(before);
        assert.deepEqual(await pins.links(), []);
      }
      await installAgain(node);
    },
  },
];
