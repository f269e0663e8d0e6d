import { type ConformanceCase, type StillScene, still } from "../case.ts";
import type { NodeInit } from "../peer/messages.ts";
import { variants } from "../peer/messages.ts";
import { check, checkSame } from "../peer/nonconformity.ts";
import { ByteStream } from "../peer/stream.ts";
import { types } from "../peer/types.ts";
import { clustersInStock, namesIn, watching } from "./steps.ts";

async function isRefused(scene: StillScene, node: NodeInit | undefined): Promise<void> {
  const peer = scene.connect({ node });
  peer.ask(types.cds);
  const answer = peer.response().then(
    () => undefined,
    () => peer.ended,
  );
  const ended = await answer;
  check(ended !== undefined, "the end of the stream with INVALID_ARGUMENT", "an answer");
  check(ended.code === "INVALID_ARGUMENT", "the status INVALID_ARGUMENT", `${ended.code}: ${ended.details}`);
}

export const nodes: readonly ConformanceCase[] = [
  still({
    name: "first-request-needs-a-node",
    rules: ["node-first"],
    variants,
    what: "ends a stream with INVALID_ARGUMENT whose first request has no node",
    run: (scene) => isRefused(scene, undefined),
  }),
  still({
    name: "node-id-needs-four-parts",
    rules: ["node-form"],
    variants,
    what: "ends a stream with INVALID_ARGUMENT whose node id has three parts",
    run: (scene) => isRefused(scene, { ...scene.node, id: "sidecar~10.99.0.1~proxy.default" }),
  }),
  still({
    name: "node-needs-an-address",
    rules: ["node-form"],
    variants,
    what: "ends a stream with INVALID_ARGUMENT whose node has no address",
    run: (scene) =>
      isRefused(scene, { ...scene.node, id: "sidecar~none~proxy.default~default.svc.cluster.local" }),
  }),
  still({
    name: "node-may-have-its-addresses-in-metadata",
    rules: ["node-form"],
    variants,
    what: "takes the addresses of INSTANCE_IPS where the node id has none",
    run: async (scene) => {
      const { node } = scene;
      const [type, , ...rest] = (node.id ?? "").split("~");
      const peer = scene.connect({
        node: {
          ...node,
          id: [type, "none", ...rest].join("~"),
          metadata: { ...node.metadata, INSTANCE_IPS: "10.99.0.1,fd00::1" },
        },
      });
      peer.ask(types.cds);
      await peer.take(types.cds);
    },
  }),
  still({
    name: "node-is-told-once",
    rules: ["node-first"],
    variants,
    what: "remembers the node of the first request, and is not disturbed by one in later ones",
    run: async (scene) => {
      const [one = "", two = ""] = clustersInStock(scene, 2);
      const { node, variant } = scene;
      const peer = await watching(scene, types.cds);
      peer.ask(types.eds, one);
      const { nonce } = await peer.take(types.eds);
      const wants = variant === "delta" ? { subscribe: [two] } : { names: [one, two], nonce };
      peer.say({ typeUrl: types.eds, node, ...wants });
      checkSame([two], namesIn(await peer.take(types.eds)), "what was asked for");
    },
  }),
  still({
    name: "health-may-come-first",
    rules: ["health-first"],
    variants,
    what: "passes over a report of health that comes before the first request",
    run: async (scene) => {
      const { node } = scene;
      const peer = scene.connect({ node: undefined });
      peer.say({ typeUrl: types.health });
      peer.say({ typeUrl: types.cds, node });
      await peer.take(types.cds);
      await peer.silence("health gets no answer");
    },
  }),
  still({
    name: "no-service-of-a-single-type",
    rules: ["ads-only"],
    variants,
    what: "says UNIMPLEMENTED to who asks for clusters outside the aggregated service",
    run: async ({ address, variant }) => {
      const method = variant === "delta" ? "DeltaClusters" : "StreamClusters";
      using stream = new ByteStream(address, `/envoy.service.cluster.v3.ClusterDiscoveryService/${method}`);
      stream.send(new Uint8Array());
      const { code } = await stream.ended;
      check(code === "UNIMPLEMENTED", "UNIMPLEMENTED", code);
    },
  }),
  still({
    name: "both-variants-for-one-node",
    rules: ["ads-only", "per-stream"],
    variants,
    what: "serves a node that has a stream of each variant",
    run: async (scene) => {
      for (const variant of variants) {
        const peer = scene.connect({ variant });
        peer.ask(types.cds);
        await peer.take(types.cds);
      }
    },
  }),
];
