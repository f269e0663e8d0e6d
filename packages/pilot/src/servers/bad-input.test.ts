import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DirectorySource } from "@keelson/sources";
import { envoyTypeUrls } from "@keelson/xds/envoy";
import { pino } from "pino";
import { expect, onTestFinished, test, vi } from "vitest";
import { ControlPlane } from "../control-plane.ts";
import { parseLogLevels } from "../logging/log-levels.ts";
import { programLog } from "../logging/program-log.ts";
import { readSettings } from "../settings/read-settings.ts";
import { sidecarId, TestProxy } from "../testing/test-proxy.ts";
import { httpServer } from "./http-server.ts";
import { Servers } from "./servers.ts";

const patience = { timeout: 20_000, interval: 5 };

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "keelson-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A control plane with HTTP and xDS on one port, and what the log said that serves it. */
async function sharedPort(): Promise<number> {
  const { settings } = readSettings(
    [
      "--grpcAddr=",
      "--httpAddr=127.0.0.1:0",
      "--monitoringAddr=",
      "--monitoringPort=0",
      "--secureGRPCAddr=",
      "--httpsAddr=",
    ],
    {},
  );
  const folder = newFolder();
  const logFile = join(folder, ".log");
  const log = programLog({ levels: parseLogLevels("").levels, json: true, targets: [logFile] });
  const controlPlane = new ControlPlane({
    source: new DirectorySource(folder),
    domain: "cluster.local",
    logger: log("config"),
  });
  const servers = new Servers(controlPlane, settings, log);
  await servers.openHttp();
  await controlPlane.start();
  onTestFinished(async () => {
    await controlPlane.close(100);
    await servers.close();
  });
  return servers.port("--httpAddr");
}

async function open(port: number, bytes: Buffer | string): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, "connect");
  socket.write(bytes);
  return socket;
}

const status = async (port: number, path = "/ready"): Promise<number> =>
  (await fetch(`http://127.0.0.1:${port}${path}`)).status;

test("garbage, half-open connections and half a preface do not keep others from being served", async () => {
  const port = await sharedPort();
  const sockets = await Promise.all([
    ...Array.from({ length: 50 }, () => open(port, randomBytes(4_096))),
    ...Array.from({ length: 50 }, () => open(port, "PR")),
    ...Array.from({ length: 50 }, () => open(port, "GET /ready HTTP/1.1\r\nHost: x\r\n")),
    ...Array.from({ length: 50 }, () => open(port, "")),
    ...Array.from({ length: 20 }, () =>
      open(port, Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), randomBytes(500)])),
    ),
  ]);
  expect(await status(port)).toBe(200);
  const proxy = new TestProxy(port, { id: sidecarId("client") });
  onTestFinished(() => proxy.close());
  await vi.waitUntil(async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/debug/syncz`);
    return (await answer.text()).includes(envoyTypeUrls.cluster);
  }, patience);
  for (const socket of sockets) socket.destroy();
  expect(await status(port)).toBe(200);
});

test("a request whose first bytes come one by one is served", async () => {
  const port = await sharedPort();
  const socket = await open(port, "P");
  let answer = "";
  socket.on("data", (chunk: Buffer) => {
    answer += chunk.toString();
  });
  for (const piece of ["U", "T /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"]) {
    await new Promise((resolve) => socket.write(piece, resolve));
  }
  await once(socket, "close");
  expect(answer).toMatch(/^HTTP\/1\.1 404 /);
});

const mebibyte = Buffer.alloc(1024 * 1024, "x");

/** Sends a body for as long as the other side takes it. @returns the status of the answer; undefined if it cut the connection */
async function sendBody(
  port: number,
  mebibytes: number,
): Promise<{ status: string | undefined; sent: number }> {
  const head = `POST /debug/syncz HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${mebibytes * mebibyte.length}\r\n\r\n`;
  const socket = await open(port, head);
  const said = { text: "" };
  socket.on("data", (chunk: Buffer) => {
    said.text += chunk.toString();
  });
  const over = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  let sent = 0;
  while (sent < mebibytes && !socket.destroyed && said.text === "") {
    sent += 1;
    await Promise.race([new Promise((resolve) => socket.write(mebibyte, resolve)), over]);
  }
  socket.end();
  await over;
  return { status: /^HTTP\/1\.1 (\d+)/.exec(said.text)?.[1], sent };
}

test("a body of 100 MiB is refused, and not kept", async () => {
  const port = await sharedPort();
  const before = process.memoryUsage().rss;
  const { status: answer, sent } = await sendBody(port, 100);
  expect(["413", undefined]).toContain(answer);
  expect(sent).toBeLessThan(100);
  expect(process.memoryUsage().rss - before).toBeLessThan(50 * mebibyte.length);
  expect(await status(port)).toBe(200);
});

test("as many streams as there may be: named in /ready, in a metric and once in the log", async () => {
  const lines: { level: number; msg: string }[] = [];
  const controlPlane = new ControlPlane({
    source: new DirectorySource(newFolder()),
    domain: "cluster.local",
    logger: pino({}, { write: (line) => lines.push(JSON.parse(line) as (typeof lines)[number]) }),
    xdsLimits: { streams: 2 },
  });
  const http = httpServer(controlPlane);
  onTestFinished(async () => {
    await Promise.all([http.close(), controlPlane.close(100)]);
  });
  await controlPlane.start();
  const port = await controlPlane.listen({ host: "127.0.0.1", port: 0 });
  const proxies = ["a", "b"].map((name) => new TestProxy(port, { id: sidecarId(name) }));
  await vi.waitUntil(() => controlPlane.debug.state.connections.length === 2, patience);
  const late = ["c", "d"].map((name) => new TestProxy(port, { id: sidecarId(name) }));
  onTestFinished(async () => {
    await Promise.all([...proxies, ...late].map((proxy) => proxy.close()));
  });
  const ready = async (): Promise<unknown> => JSON.parse((await http.inject("/ready")).body);
  await vi.waitUntil(() => Object.hasOwn(controlPlane.readiness.problems, "xDS streams"), patience);
  expect(await ready()).toMatchObject({
    ready: true,
    problems: { "xDS streams": "2 streams are open already; more are refused" },
  });
  const metrics = (await http.inject("/metrics")).body;
  expect(metrics).toContain('keelson_problem{part="xDS streams"} 1');
  await vi.waitUntil(async () => {
    const [, count = "0"] =
      /^keelson_xds_refused_total (\d+)$/m.exec((await http.inject("/metrics")).body) ?? [];
    return Number(count) >= 2;
  }, patience);
  expect(lines.filter(({ msg }) => msg === "stream refused")).toHaveLength(1);
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await Promise.all(late.map((proxy) => proxy.close()));
  await vi.waitUntil(() => !Object.hasOwn(controlPlane.readiness.problems, "xDS streams"), patience);
});
