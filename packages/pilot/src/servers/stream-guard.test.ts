import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { DirectorySource } from "@keelson/sources";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { ControlPlane } from "../control-plane.ts";
import { framed, rawCall, rawSession } from "../testing/raw-call.ts";
import { sidecarId, TestProxy } from "../testing/test-proxy.ts";
import type { PortLimits } from "./port-guard.ts";

const ads = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
const telemetry = "/keelson.telemetry.v1.TelemetryService/ReportEdges";

/** A control plane with small limits; its log goes to `lines`. */
async function serving(portLimits: Partial<PortLimits>) {
  const folder = mkdtempSync(join(tmpdir(), "keelson-"));
  const lines: { msg: string; kind?: string }[] = [];
  const controlPlane = new ControlPlane({
    source: new DirectorySource(folder),
    domain: "cluster.local",
    logger: pino({}, { write: (line) => lines.push(JSON.parse(line) as { msg: string }) }),
    portLimits,
  });
  onTestFinished(async () => {
    await controlPlane.close(100);
    rmSync(folder, { recursive: true });
  });
  await controlPlane.start();
  const port = await controlPlane.listen({ host: "127.0.0.1", port: 0 });
  const cut = async (kind: string): Promise<number> => {
    const text = await controlPlane.metrics.registry.metrics();
    const [, count = 0] =
      new RegExp(`^keelson_grpc_streams_cut_total\\{kind="${kind}"\\} (\\d+)$`, "m").exec(text) ?? [];
    return Number(count);
  };
  return { controlPlane, port, lines, cut };
}

test("headers that are too long", async () => {
  const { port, cut, lines } = await serving({ headerBytes: 1_000 });
  const call = rawCall(rawSession(port), ads, { headers: { "x-long": "x".repeat(1_000) } });
  const { code, message } = await call.ended;
  expect(code).toBe(status.RESOURCE_EXHAUSTED);
  expect(message).toMatch(/^1\d\d\d bytes of headers; at most 1000 are read$/);
  expect(await cut("headers")).toBe(1);
  expect(lines).toContainEqual(expect.objectContaining({ msg: "stream cut", kind: "headers" }));
});

test("compressed messages", async () => {
  const { port } = await serving({});
  const call = rawCall(rawSession(port), ads, { headers: { "grpc-encoding": "gzip" } });
  expect(await call.ended).toEqual({
    code: status.UNIMPLEMENTED,
    message: "messages in the encoding gzip are not read; send them as they are",
  });
});

test("a stream of any service that says nothing", async () => {
  const { port, controlPlane } = await serving({ unfinishedMs: 100 });
  expect(await rawCall(rawSession(port), telemetry).ended).toEqual({
    code: status.DEADLINE_EXCEEDED,
    message: "no whole request within 100 ms",
  });
  const text = await controlPlane.metrics.registry.metrics();
  expect(text).toMatch(/^keelson_grpc_streams 0$/m);
});

test("a message that stays half, on a stream that was served", async () => {
  const { port, cut } = await serving({ unfinishedMs: 100 });
  const call = rawCall(rawSession(port), telemetry);
  call.write(Buffer.concat([framed(Buffer.from("\n\u0001n", "latin1")), framed(Buffer.alloc(10), 20)]));
  expect(await call.ended).toMatchObject({ code: status.DEADLINE_EXCEEDED });
  expect(await cut("late")).toBe(1);
});

test("where there is no room, the connection that takes most loses its oldest", async () => {
  const { port, cut } = await serving({ unfinishedBytes: 300_000 });
  const [heavy, light] = [rawSession(port), rawSession(port)];
  const small = rawCall(light, telemetry);
  small.write(framed(Buffer.alloc(10), 20));
  const calls = [1, 2, 3].map(() => rawCall(heavy, telemetry));
  const endings = calls.map(({ ended }) => ended);
  for (const call of calls) {
    const before = await cut("room");
    call.write(framed(Buffer.alloc(120_000), 1_000_000));
    if (call === calls[2]) await expect.poll(() => cut("room")).toBeGreaterThan(before);
  }
  expect(await endings[0]).toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
    message: expect.stringMatching(/^requests that are not whole take \d+ bytes; at most 300000 are kept$/),
  });
  const undecided = Symbol("open");
  expect(await Promise.race([small.ended, Promise.resolve(undecided)])).toBe(undecided);
});

test("a connection of which many streams were cut is closed as a whole", async () => {
  const { port } = await serving({});
  const session = rawSession(port);
  const calls = Array.from({ length: 150 }, () =>
    rawCall(session, ads, { headers: { "grpc-encoding": "gzip" } }),
  );
  await Promise.all(calls.map(({ ended }) => ended));
  await expect.poll(() => session.destroyed).toBe(true);
});

test("a stream that was refused, and that its peer does not end", async () => {
  const { port, controlPlane } = await serving({ farewellMs: 100 });
  const session = rawSession(port);
  const call = rawCall(session, ads);
  call.write(framed(Buffer.from("garbage")));
  expect(await call.ended).toMatchObject({ code: status.INVALID_ARGUMENT });
  const metrics = (): Promise<string> => controlPlane.metrics.registry.metrics();
  await expect.poll(metrics).toMatch(/^keelson_grpc_streams 0$/m);
  expect(session.destroyed).toBe(false);
});

test("a peer that does not read what it is sent", async () => {
  const { port, cut, controlPlane } = await serving({ unreadMs: 200 });
  const honest = new TestProxy(port, { id: sidecarId("honest") });
  onTestFinished(() => honest.close());
  const session = rawSession(port);
  // No window at all: nothing of an answer fits.
  session.settings({ initialWindowSize: 0 });
  const call = rawCall(session, ads, { reads: false });
  const type = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
  call.write(framed(adsRequest(sidecarId("deaf"), type)));
  expect(await call.ended).toMatchObject({ message: expect.stringContaining("NGHTTP2_ENHANCE_YOUR_CALM") });
  expect(await cut("unread")).toBe(1);
  await expect.poll(() => controlPlane.debug.state.connections).toHaveLength(1);
});

/** A DeltaDiscoveryRequest: a node with an id, and a type. */
function adsRequest(id: string, typeUrl: string): Buffer {
  const field = (number: number, bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
  return Buffer.concat([field(1, field(1, Buffer.from(id))), field(2, Buffer.from(typeUrl))]);
}
