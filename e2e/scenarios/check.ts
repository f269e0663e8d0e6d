// What `keelson check` says of a node, with the rights of the agent's pod.
import assert from "node:assert/strict";
import { PinFolder } from "@keelson/bpf-applier";
import { BpfLink } from "bpf-maps-native";
import { withAgentRights } from "../world/agent-rights.ts";
import type { Applier } from "../world/applier.ts";
import { command } from "../world/command.ts";
import { cliProgram } from "../world/workspace.ts";
import type { Scenario } from "./scenario.ts";

interface Report {
  readonly groups: readonly {
    readonly findings: readonly { readonly check: string; readonly state: string }[];
  }[];
}

/** State by what was looked at, of one phase. */
async function statesOf(
  { place: { node, cgroup, runFolder } }: Applier,
  ...flags: string[]
): Promise<Record<string, string>> {
  const place = ["--node", "--node-name", node, "--cgroup", cgroup, "--run-dir", runFolder];
  const [setRights, ...rights] = await withAgentRights();
  // It ends with 1 where it finds an error; the report is the same.
  const all = ["sh", "-c", '"$@" || true', "sh", setRights, ...rights, process.execPath, cliProgram] as const;
  const [file, ...args] = [...all, "check", "-o", "json", ...place, ...flags];
  const { groups } = JSON.parse(await command(file, args)) as Report;
  return Object.fromEntries(
    groups.flatMap(({ findings }) => findings).map(({ check, state }) => [check, state]),
  );
}

export const checkScenarios: readonly Scenario[] = [
  {
    name: "keelson check finds a node's features, its agent and its programs, and what is wrong with them",
    // The node is the same for both families.
    over: ["IPv4"],
    async run({ world }) {
      const applier = world.applier();
      const before = await statesOf(applier, "--pre");
      assert.deepEqual(
        Object.entries(before).filter(([, state]) => state === "error"),
        [],
      );
      assert.equal(before["Keelson's programs"], "ok");
      const good = {
        agent: "ok",
        "control plane": "ok",
        policy: "ok",
        programs: "ok",
        pins: "ok",
        tables: "ok",
      };
      const states = await statesOf(applier);
      assert.deepEqual({ ...states, ...good }, states);

      const pins = await PinFolder.find(applier.node);
      const pin = (await pins.links()).find((name) => name.startsWith("keelson_connect4-"));
      using link = BpfLink.openPinned(pins.link(pin ?? "keelson_connect4"));
      link.detach();
      assert.equal((await statesOf(applier))["programs"], "error");
      await applier.stop();
      assert.equal((await statesOf(applier))["agent"], "error");
      await world.startApplier();
      await world.settled();
      const again = await statesOf(applier);
      assert.deepEqual({ ...again, ...good }, again);
    },
  },
];
