import assert from "node:assert/strict";
import { until } from "../world/until.ts";
import { layoutAt } from "./layouts.ts";
import { excludedNamespace, type NodeWorld } from "./node-world.ts";
import type { NodeScale } from "./scenarios.ts";

const connections = 5;

/** Pods that nobody tells of, that the control plane tells of, and that are excluded, in turn. */
async function onePod(node: NodeWorld, name: string, turn: number): Promise<void> {
  const layout = layoutAt(turn);
  if (turn % 3 === 2) {
    const details = { namespace: excludedNamespace };
    const pod = await node.addPod({ name, layout, cgroupLater: true });
    await node.tell(pod, layout, details);
    await node.untilTold(pod, details.namespace);
    await node.world.makePodCgroup(pod);
    await node.untilPod(pod, (status) => status?.decided === false);
    await node.assertUntouched(pod, connections);
    await node.removePod(pod, true);
    return;
  }
  const pod = await node.addPod({ name, layout });
  const isTold = turn % 3 === 1;
  if (isTold) await node.tell(pod, layout);
  await node.assertDecided(pod, connections);
  await node.removePod(pod, isTold);
}

/** In lanes that run side by side, while another pod sends without end. */
export async function comeAndGo(node: NodeWorld, { lanes, rounds }: NodeScale): Promise<void> {
  const before = await node.entries();
  const lane = async (index: number): Promise<void> => {
    for (let round = 0; round < rounds; round++)
      await onePod(node, `lane-${index}-${round}`, index * rounds + round);
  };
  const { answers, failures } = await node.reviews.during(node.reviews.target("IPv4"), async () => {
    // All of them end before an error is told: what is made meanwhile would be in the way of whatever comes next.
    const ends = await Promise.allSettled(Array.from({ length: lanes }, (_, index) => lane(index)));
    const errors = ends.flatMap((end) => (end.status === "rejected" ? [end.reason as Error] : []));
    if (errors.length > 0) throw new AggregateError(errors, errors.map(({ message }) => message).join("; "));
  });
  assert.deepEqual(failures, {});
  assert.deepEqual(Object.keys(node.reviews.byVersion(answers)), ["v1"]);
  await until(async () => (await node.entries()) === before, {
    what: `programs to be told of ${before} pods again, as before`,
  });
  // The agent tells of a pod a moment longer than programs know it.
  await until(async () => (await node.applier.status()).pods.length === node.world.pods.size, {
    what: `the agent to tell of ${node.world.pods.size} pods, as before`,
  });
}
