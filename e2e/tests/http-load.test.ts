import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HttpLoad } from "../bench/http/http-load.ts";
import { bodyDigest, HttpServer } from "../bench/http/http-server.ts";
import { freePort } from "../world/free-port.ts";

const address = "127.0.0.1";
let folder: string;
let port: number;
let server: HttpServer;
let load: HttpLoad;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keelson-http-load-"));
  port = await freePort();
  const place = { title: "server", logFile: join(folder, "log") };
  server = await HttpServer.start([String(port), join(folder, "server.sock")], place);
  load = await HttpLoad.start({ ...place, title: "load" });
});
afterAll(async () => {
  await Promise.all([load.stop(), server.stop()]);
  await rm(folder, { recursive: true });
});

/** Of nanoseconds. */
const ms = 1_000_000;
const soon = { warmMs: 0, measureMs: 100 };

test.each([0, 1, 128, 16_384, 1_048_576])(
  "the server's body of %d bytes is what it should be",
  async (size) => {
    const answer = await fetch(`http://${address}:${port}/${size}`);
    const body = new Uint8Array(await answer.arrayBuffer());
    expect([answer.status, body.length]).toEqual([200, size]);
    expect(createHash("sha256").update(body).digest("hex")).toBe(bodyDigest(size));
  },
);

test("the server refuses what it does not serve, and counts that apart", async () => {
  const before = await server.counters();
  const answer = await fetch(`http://${address}:${port}/1048577`);
  expect(answer.status).toBe(400);
  const after = await server.counters();
  expect([after.requests - before.requests, after.refused - before.refused]).toEqual([0, 1]);
});

test.each([
  { mode: "closed", connections: 1, size: 128 },
  { mode: "closed", connections: 128, size: 16_384 },
  { mode: "closed", connections: 4, size: 1_048_576 },
  { mode: "open", connections: 16, size: 128, rate: 500 },
  { mode: "connects", connections: 4, size: 128 },
] as const)("$mode, $connections connections, $size bytes: the server saw what was sent", async (how) => {
  const targets = [{ address, port }, { address: "::1", port }, { path: join(folder, "server.sock") }];
  for (const target of targets) {
    const before = await server.counters();
    const result = await load.send(target, how, { warmMs: 20, measureMs: 60 });
    const after = await server.counters();
    expect(result.measured).toBeGreaterThan(0);
    expect(after.requests - before.requests).toBe(result.sent);
    expect(after.connections - before.connections).toBe(result.connections);
    expect(result.connections).toBe(how.mode === "connects" ? result.sent : how.connections);
  }
});

test("connections that are held are all open, each after one request", async () => {
  const before = await server.counters();
  const { result, release } = await load.hold({ address, port }, { connections: 300, size: 1 });
  const after = await server.counters();
  expect([after.requests - before.requests, after.connections - before.connections]).toEqual([300, 300]);
  expect([result.sent, result.connections]).toEqual([300, 300]);
  await release();
});

/** Runs `use` with the port of a server of this process. */
async function withServer(listener: RequestListener, use: (port: number) => Promise<void>): Promise<void> {
  const own = createServer(listener);
  await new Promise<void>((resolve) => own.listen(0, address, resolve));
  try {
    await use((own.address() as AddressInfo).port);
  } finally {
    own.closeAllConnections();
    own.close();
  }
}

test("latencies are those of the server: nine in ten wait for 20 ms, one for 150 ms", async () => {
  let count = 0;
  const listener: RequestListener = (_, response) =>
    void setTimeout(() => response.end("a"), (count += 1) % 10 === 0 ? 150 : 20);
  await withServer(listener, async (own) => {
    const how = { mode: "closed", connections: 10, size: 1 } as const;
    const { latency, measured } = await load.send({ address, port: own }, how, { warmMs: 0, measureMs: 500 });
    // Node's timers may be early by a millisecond.
    expect(latency.p50).toBeGreaterThan(19 * ms);
    expect(latency.mean).toBeGreaterThan(latency.p50);
    expect(latency.p99).toBeGreaterThan(149 * ms);
    expect(measured).toBeLessThan(1_000);
    // Of fewer than 1,000 it is the last one, and told exactly.
    expect(latency.p999).toBe(latency.most);
  });
});

test("the open loop keeps to its times: who should have been sent while the server stood still has waited, too", async () => {
  const stallMs = 300;
  let count = 0;
  const listener: RequestListener = (_, response) => {
    if ((count += 1) === 20) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stallMs);
    response.end("a");
  };
  await withServer(listener, async (own) => {
    const how = { mode: "open", connections: 2, size: 1, rate: 200 } as const;
    const { latency, measured, sent } = await load.send({ address, port: own }, how, {
      warmMs: 0,
      measureMs: 800,
    });
    expect([measured, sent]).toEqual([160, 160]);
    // 60 of the 160 were due meanwhile; with two connections a closed loop would tell of two.
    expect(latency.p99).toBeGreaterThan(0.9 * stallMs * ms);
    expect(latency.mean).toBeGreaterThan((0.9 * (60 / 160) * stallMs * ms) / 2);
  });
});

test.each([
  ["a byte of the body that is another", "content-length: 3\r\n\r\nabx", "a wrong answer"],
  ["a body that is too short", "content-length: 2\r\n\r\nab", "a wrong answer"],
  ["an answer without a length", "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "a wrong answer"],
  ["an answer that breaks off", "content-length: 3\r\n\r\nab", "a connection ended before its answer"],
])("%s is found", async (what, rest, error) => {
  const own = createTcpServer((socket) => {
    socket.once("data", () => {
      socket.write(`HTTP/1.1 200 OK\r\n${rest}`);
      if (what.endsWith("breaks off")) socket.end();
    });
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => own.listen(0, address, resolve));
  try {
    const target = { address, port: (own.address() as AddressInfo).port };
    const how = { mode: "closed", connections: 1, size: 3 } as const;
    await expect(load.send(target, how, soon)).rejects.toThrow(error);
  } finally {
    own.close();
  }
});

test.each([0, 128, 1_048_576])("over HTTP/2, too, answers of %d bytes are looked at", async (size) => {
  let count = 0;
  let wrong = 0;
  const body = Buffer.from(Uint8Array.from({ length: size }, (_, place) => 97 + (place % 26)));
  const own = createHttp2Server((request, response) => {
    count += 1;
    response.statusCode = request.url === `/${size}` ? 200 : 404;
    response.end(wrong > 0 ? body.subarray(0, size - wrong) : body);
  });
  await new Promise<void>((resolve) => own.listen(0, address, resolve));
  try {
    const target = { address, port: (own.address() as AddressInfo).port };
    const how = { mode: "closed", connections: 3, size, heads: "http2" } as const;
    const { sent, measured } = await load.send(target, how, soon);
    expect(measured).toBeGreaterThan(0);
    expect(count).toBe(sent);
    wrong = Math.min(size, 1);
    if (size > 0) await expect(load.send(target, how, soon)).rejects.toThrow("a wrong answer");
    await expect(load.send(target, { ...how, size: size === 0 ? 1 : size - 1 }, soon)).rejects.toThrow(
      "a wrong answer",
    );
  } finally {
    own.close();
  }
});
