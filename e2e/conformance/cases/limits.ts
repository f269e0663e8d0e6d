import { setTimeout as pause } from "node:timers/promises";
import { type ConformanceCase, still } from "../case.ts";
import { Http2Connection } from "../peer/http2-connection.ts";
import { variants, wires } from "../peer/messages.ts";
import { check } from "../peer/nonconformity.ts";
import { ByteStream } from "../peer/stream.ts";
import { types } from "../peer/types.ts";
import { watching } from "./steps.ts";

const MiB = 1024 * 1024;
/** Streams that come at once: more than an istiod takes in a second on any machine, which is 100 at most. */
const crowd = 150;
/** As often as a client may ping at most, by half of the time after which a server does, and a second. */
const pingEveryMs = 16_000;
/** More than the 30 s after which a server asks whether a client is there. */
const silenceMs = 40_000;

export const limits: readonly ConformanceCase[] = [
  still({
    name: "crowd-is-served-or-refused",
    rules: ["limit-streams"],
    variants,
    alone: true,
    what: "answers each of many streams that come at once, or ends it with RESOURCE_EXHAUSTED or UNAVAILABLE",
    run: async (scene) => {
      const open = async (): Promise<string> => {
        using peer = scene.connect();
        peer.ask(types.cds);
        return await peer.response().then(
          () => "OK",
          async (error: unknown) => {
            const ended = await Promise.race([peer.ended, Promise.resolve(undefined)]);
            if (ended === undefined) throw error;
            return ended.code;
          },
        );
      };
      const outcomes = await Promise.all(Array.from({ length: crowd }, open));
      const known = ["OK", "RESOURCE_EXHAUSTED", "UNAVAILABLE"];
      const others = outcomes.filter((outcome) => !known.includes(outcome));
      check(others.length === 0, known.join(" or "), others);
      check(outcomes.includes("OK"), "streams that are served", "none");
    },
  }),
  still({
    name: "large-request-is-taken",
    rules: ["limit-message"],
    variants,
    what: "takes a request of 3 MiB",
    run: async ({ connect: open, node }) => {
      const metadata = { ...node.metadata, PADDING: "x".repeat(3 * MiB) };
      const peer = open({ node: { ...node, metadata } });
      peer.ask(types.cds);
      await peer.take(types.cds);
    },
  }),
  still({
    name: "oversized-request-ends-its-stream",
    rules: ["limit-message", "malformed"],
    variants,
    what: "ends a stream with RESOURCE_EXHAUSTED whose request has 20 MiB, and goes on to serve others",
    run: async (scene) => {
      const other = await watching(scene, types.cds);
      using stream = new ByteStream(scene.address, wires[scene.variant].path);
      stream.send(new Uint8Array(20 * MiB));
      const { code, details } = await stream.ended;
      check(code === "RESOURCE_EXHAUSTED", "RESOURCE_EXHAUSTED", `${code}: ${details}`);
      await other.silence("another stream has nothing to do with it");
    },
  }),
  still({
    name: "garbage-ends-its-stream",
    rules: ["malformed"],
    variants,
    what: "ends a stream that sends what is no request with an error, and goes on to serve others",
    run: async (scene) => {
      const other = await watching(scene, types.cds);
      using stream = new ByteStream(scene.address, wires[scene.variant].path);
      stream.send(new Uint8Array([0xff, 0xff, 0xff]));
      const { code } = await stream.ended;
      check(code !== "OK", "an error", code);
      await other.silence("another stream has nothing to do with it");
    },
  }),
  still({
    name: "unknown-type-harms-no-other",
    rules: ["malformed"],
    variants,
    what: "goes on to serve a stream that asked for a type that there is not",
    run: async (scene) => {
      const peer = await watching(scene, types.cds);
      peer.ask("type.googleapis.com/conformance.Unknown", "nobody");
      const came = await peer.flush();
      const resources = came.flatMap((response) => response.resources);
      check(resources.length === 0, "no resources of a type that there is not", resources.length);
    },
  }),
  still({
    name: "stream-ends-when-the-client-ends-it",
    rules: ["per-stream"],
    variants,
    what: "ends a stream without an error when the client has ended its side",
    run: async (scene) => {
      const peer = await watching(scene, types.cds);
      peer.finish();
      const { code, details } = await peer.ended;
      check(code === "OK", "OK", `${code}: ${details}`);
    },
  }),
  still({
    name: "ping-is-answered",
    rules: ["limit-pings"],
    variants: ["sotw"],
    what: "answers a ping of HTTP/2",
    run: async ({ address }) => {
      await using connection = await Http2Connection.open(address);
      await connection.ping();
    },
  }),
  still({
    name: "client-may-ping",
    rules: ["limit-pings"],
    variants: ["sotw"],
    slow: true,
    what: "answers pings that are 16 s apart, every time",
    run: async ({ address }) => {
      await using connection = await Http2Connection.open(address);
      for (let count = 0; count < 3; count += 1) {
        await pause(pingEveryMs);
        await connection.ping();
      }
    },
  }),
  still({
    name: "silent-connection-is-pinged",
    rules: ["limit-pings"],
    variants: ["sotw"],
    slow: true,
    what: "pings a connection on which nothing is said, to find out whether anybody is there",
    run: async ({ address }) => {
      await using connection = await Http2Connection.open(address);
      const end = performance.now() + silenceMs;
      while (connection.pings === 0 && performance.now() < end) await pause(1_000);
      check(connection.pings > 0, `a ping of the server's within ${silenceMs / 1000} s`, "none");
    },
  }),
];
