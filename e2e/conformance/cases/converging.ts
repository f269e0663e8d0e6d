import type { KubernetesObject } from "../../world/objects.ts";
import { type ConformanceCase, changing } from "../case.ts";
import { clustersOf, isEdsCluster } from "../peer/contents.ts";
import { variants } from "../peer/messages.ts";
import { checkSame } from "../peer/nonconformity.ts";
import type { Peer } from "../peer/peer.ts";
import { types } from "../peer/types.ts";
import type { CaseWorld } from "../world/case-world.ts";
import { heldEndpoints, watching } from "./steps.ts";

/** Service → last numbers of its endpoints' addresses, and the service that requests for it go to. */
type Step = Readonly<Record<string, { readonly endpoints: readonly number[]; readonly to?: string }>>;

/** One after the other. Services come, go and come again; endpoints and routes, too. */
const steps: readonly Step[] = [
  { a: { endpoints: [1] }, b: { endpoints: [2] } },
  { a: { endpoints: [1, 3] }, b: { endpoints: [2] }, c: { endpoints: [4] } },
  { a: { endpoints: [1, 3], to: "c" }, c: { endpoints: [4] } },
  { a: { endpoints: [] }, b: { endpoints: [5] }, d: { endpoints: [6, 7] } },
  { b: { endpoints: [5] }, d: { endpoints: [7], to: "b" } },
  { a: { endpoints: [8] }, b: { endpoints: [5], to: "a" }, c: { endpoints: [9] }, d: { endpoints: [7] } },
];

const addressOf = (last: number): string => `10.1.1.${last}`;

const objectsOf = (world: CaseWorld, step: Step): KubernetesObject[] =>
  Object.entries(step).flatMap(([name, { endpoints, to }]) => [
    world.service(name, endpoints.map(addressOf)),
    ...(to === undefined ? [] : [world.route(name, to)]),
  ]);

/** "cluster: endpoints" of each service, and "route: clusters" of port 80. */
const expectedOf = (world: CaseWorld, step: Step): string[] => [
  ...Object.entries(step).map(
    ([name, { endpoints }]) =>
      `${world.cluster(name)}: ${endpoints.map((last) => `${addressOf(last)}:80`).join(" ")}`,
  ),
  `80: ${[...new Set(Object.entries(step).map(([name, { to = name }]) => world.cluster(to)))].sort().join(" ")}`,
];

/** The same of what a client has, of clusters that it has endpoints of. */
function contentOf(peer: Peer, world: CaseWorld): string[] {
  const isOwn = (name: string): boolean => name.endsWith(world.host("").slice(1));
  const clusters = [...peer.held(types.cds).keys()].filter(isOwn);
  const route = peer.held(types.rds).get("80");
  const targets = route === undefined ? [] : [...clustersOf(route)].filter(isOwn).sort();
  return [
    ...clusters.map((name) => `${name}: ${heldEndpoints(peer, name)?.join(" ") ?? "unknown"}`),
    `80: ${targets.join(" ")}`,
  ];
}

/** Asks for endpoints of the clusters that the client has, and of no others, as an Envoy does. */
function followClusters(peer: Peer, asked: Set<string>): void {
  const clusters = [...peer.held(types.cds).values()].filter(isEdsCluster).map(({ name }) => name);
  const more = clusters.filter((name) => !asked.has(name));
  const less = [...asked].filter((name) => !clusters.includes(name));
  for (const name of more) asked.add(name);
  for (const name of less) asked.delete(name);
  if (more.length > 0) peer.ask(types.eds, ...more);
  if (less.length > 0) peer.drop(types.eds, ...less);
}

const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  [...a].sort().join("\n") === [...b].sort().join("\n");

/** Takes responses, as an Envoy does, until the client has what there is at one step. */
async function untilConverged(peer: Peer, world: CaseWorld, step: Step, asked: Set<string>): Promise<void> {
  const expected = expectedOf(world, step);
  await peer.until(
    ({ typeUrl }) => {
      if (typeUrl === types.cds) followClusters(peer, asked);
      return isSame(contentOf(peer, world), expected);
    },
    `in the end ${expected.join(", ")}`,
  );
}

export const converging: readonly ConformanceCase[] = [
  changing({
    name: "client-that-follows-has-what-there-is",
    rules: ["converges"],
    variants,
    what: "brings a client that goes along with clusters to what there is after each of many changes",
    begin: (world) => objectsOf(world, steps[0] ?? {}),
    run: async (scene) => {
      const { world } = scene;
      const asked = new Set<string>();
      const peer = scene.connect();
      peer.ask(types.cds);
      peer.ask(types.rds, "80");
      for (const [index, step] of steps.entries()) {
        if (index > 0) await scene.change(...objectsOf(world, step));
        await untilConverged(peer, world, step, asked);
      }
      const late = scene.connect();
      late.ask(types.cds);
      late.ask(types.rds, "80");
      await untilConverged(late, world, steps.at(-1) ?? {}, new Set());
      checkSame(contentOf(late, world), contentOf(peer, world), "what a new stream gets");
    },
  }),
  changing({
    name: "client-that-rejects-has-what-there-is-later",
    rules: ["converges", "nacked-changes"],
    variants,
    what: "brings a client that rejected every other change to what there is, when that changes once more",
    begin: (world) => objectsOf(world, steps[0] ?? {}),
    run: async (scene) => {
      const { world } = scene;
      const names = ["a", "b"].map((name) => world.cluster(name));
      const peer = await watching(scene, types.eds, ...names);
      for (const last of [11, 12, 13]) {
        await scene.change(...objectsOf(world, { a: { endpoints: [last] }, b: { endpoints: [2] } }));
        peer.nack(await peer.response("changed endpoints of a"), "endpoints of a do not fit");
        await scene.change(...objectsOf(world, { a: { endpoints: [last] }, b: { endpoints: [last] } }));
        await peer.until(
          () => heldEndpoints(peer, names[1] ?? "")?.join() === `${addressOf(last)}:80`,
          "changed endpoints of b",
        );
      }
      await scene.change(...objectsOf(world, { a: { endpoints: [20] }, b: { endpoints: [20] } }));
      await peer.until(
        () => names.every((name) => heldEndpoints(peer, name)?.join() === `${addressOf(20)}:80`),
        "changed endpoints of both",
      );
    },
  }),
];
