import { type ConformanceCase, still } from "../case.ts";
import { variants } from "../peer/messages.ts";
import { check, checkSame } from "../peer/nonconformity.ts";
import { types } from "../peer/types.ts";
import { clustersInStock, namesIn, watching } from "./steps.ts";

const first = ["sotw-first", "delta-first"] as const;

export const firstRequests: readonly ConformanceCase[] = [
  still({
    name: "first-request-is-answered",
    rules: first,
    variants,
    what: "answers a first request of each type",
    run: async (scene) => {
      const [cluster = ""] = clustersInStock(scene, 1);
      const peer = scene.connect();
      for (const typeUrl of [types.cds, types.lds]) {
        peer.ask(typeUrl);
        const { resources } = await peer.take(typeUrl);
        check(resources.length > 0, "resources for a node that is served some", "none");
      }
      peer.ask(types.eds, cluster);
      checkSame([cluster], namesIn(await peer.take(types.eds)), "the endpoints that were asked for");
      await peer.silence("every request was answered and every answer acked");
    },
  }),
  still({
    name: "first-request-for-what-there-is-not-is-answered",
    rules: first,
    variants,
    what: "answers a first request although there is nothing of what it names",
    run: async (scene) => {
      const peer = scene.connect();
      peer.ask(types.eds, "outbound|80||nobody.test");
      const { resources } = await peer.take(types.eds);
      check(
        resources.every(({ name }) => name === "outbound|80||nobody.test"),
        "no resource but the one asked for",
        resources.map(({ name }) => name),
      );
    },
  }),
  still({
    name: "first-request-with-a-nonce-is-answered",
    rules: [...first, "per-stream"],
    variants,
    what: "answers a request of a new stream that acks a response of an earlier one",
    run: async (scene) => {
      const clusters = clustersInStock(scene, 2);
      const before = scene.connect();
      before.ask(types.eds, ...clusters);
      const { nonce, version } = await before.take(types.eds);
      const peer = scene.connect();
      const wants = scene.variant === "delta" ? { subscribe: clusters } : { names: clusters, version };
      peer.say({ typeUrl: types.eds, nonce, ...wants });
      checkSame(clusters, namesIn(await peer.take(types.eds)), "all that was asked for");
    },
  }),
  still({
    name: "first-request-for-everything-with-a-nonce-is-answered",
    rules: [...first, "per-stream"],
    variants,
    what: "answers a request of a new stream that acks everything of an earlier one with everything",
    run: async (scene) => {
      const before = scene.connect();
      before.ask(types.cds);
      const { nonce, version, resources } = await before.take(types.cds);
      const peer = scene.connect();
      peer.say({ typeUrl: types.cds, nonce, ...(scene.variant === "delta" ? {} : { version }) });
      const names = resources.map(({ name }) => name);
      checkSame(names, namesIn(await peer.take(types.cds)), "all clusters");
    },
  }),
  still({
    name: "second-request-before-the-first-answer",
    rules: [...first, "sotw-more"],
    variants,
    what: "follows a client that asks for more before it has an answer, and so has no nonce to tell",
    run: async (scene) => {
      const [one = "", two = ""] = clustersInStock(scene, 2);
      const peer = scene.connect();
      peer.ask(types.eds, one);
      peer.ask(types.eds, one, two);
      await peer.until(() => peer.held(types.eds).size === 2, "both that were asked for");
    },
  }),
  still({
    name: "request-without-a-nonce-begins-anew",
    rules: ["sotw-first"],
    variants: ["sotw"],
    what: "answers in full a request without a nonce on a stream that watches the type already",
    run: async (scene) => {
      const clusters = clustersInStock(scene, 2);
      const peer = await watching(scene, types.eds, ...clusters);
      peer.say({ typeUrl: types.eds, names: clusters });
      checkSame(clusters, namesIn(await peer.take(types.eds)), "all that was asked for");
    },
  }),
  still({
    name: "new-stream-is-answered-in-full",
    rules: ["per-stream", ...first],
    variants,
    what: "answers a node on a new stream as if it had never been there, and leaves its other stream alone",
    run: async (scene) => {
      const clusters = clustersInStock(scene, 2);
      const before = await watching(scene, types.eds, ...clusters);
      const peer = scene.connect();
      peer.ask(types.eds, ...clusters);
      checkSame(clusters, namesIn(await peer.take(types.eds)), "all that was asked for");
      await before.silence("nothing was asked for on this stream");
    },
  }),
  still({
    name: "first-request-without-names-wants-nothing",
    rules: ["sotw-none"],
    variants: ["sotw"],
    what: "does not answer a first request without names of a type without a wildcard",
    run: async (scene) => {
      const [cluster = ""] = clustersInStock(scene, 1);
      const peer = scene.connect();
      peer.say({ typeUrl: types.eds, names: [] });
      await peer.silence("nothing was asked for");
      peer.ask(types.eds, cluster);
      checkSame([cluster], namesIn(await peer.take(types.eds)), "the endpoints that were asked for");
    },
  }),
];
