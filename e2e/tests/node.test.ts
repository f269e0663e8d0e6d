import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NodeWorld } from "../node/node-world.ts";
import { type NodeScale, nodeScenarios } from "../node/scenarios.ts";
import { missingForKernel } from "../world/requirements.ts";
import { controlPlaneStatus } from "../world/settled.ts";

const missing = await missingForKernel();
const reason = missing.length === 0 ? undefined : missing.join("; ");

/** Others make programs at the same time. */
const scale: NodeScale = { lanes: 3, rounds: 2, crashes: 1, alone: false };

describe("[kernel] the pods of a kubelet", () => {
  let node: NodeWorld;

  beforeAll(async () => {
    if (reason === undefined) node = await NodeWorld.open("kubelet");
  });
  afterAll(async () => {
    if (reason === undefined) await node.close();
  });

  for (const scenario of nodeScenarios) {
    test(scenario.name, async (context) => {
      context.skip(reason !== undefined, reason);
      await scenario.run(node, scale);
    });
  }

  test("a node whose kernel refuses programs is left alone, and the control plane knows why", async (context) => {
    context.skip(reason !== undefined, reason);
    await node.applier.stop();
    const { world } = node;
    await world.startApplier(1, { startedBy: ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] });
    expect((await world.applier().status()).idleBecause).toMatch(
      /the kernel refuses programs .* BPF and NET_ADMIN/,
    );
    await expect
      .poll(
        async () => {
          const { nodes } = await controlPlaneStatus(world.controlPlane);
          return Object.values(nodes.find(({ name }) => name === world.applier().node)?.rejected ?? {});
        },
        { timeout: 20_000 },
      )
      .toEqual([expect.stringMatching(/^the node is left alone: the kernel refuses programs/)]);
  });
});
