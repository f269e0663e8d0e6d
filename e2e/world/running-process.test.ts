import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RunningProcess } from "./running-process.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keelson-running-process-"));
});
afterEach(() => rm(folder, { recursive: true }));

const start = (script: string): RunningProcess =>
  new RunningProcess({ title: "the server", command: ["sh", "-c", script], logFile: join(folder, "log") });

test("who waits in vain for a program is told what it said last", async () => {
  const server = start("echo waits for its neighbour; exec sleep 100");
  await server.until(async () => (await server.lastLines()) !== "", { what: "the server to say something" });
  const said = await server
    .until(
      async () => {
        throw new Error("nobody listens there");
      },
      { what: "the server to answer", timeoutMs: 500 },
    )
    .catch((error: Error) => error.message);
  await server.kill();
  expect(said).toBe(
    `waited 0.5 s in vain for the server to answer: nobody listens there; its last lines, of ${server.logFile}:\nwaits for its neighbour`,
  );
});

test("who waits for a program that has ended is told so at once, and what it said last", async () => {
  const server = start("echo has no neighbour; exit 3");
  await expect(server.until(async () => false, { what: "the server to answer" })).rejects.toThrow(
    `the server ended with code 3; its last lines, of ${server.logFile}:\nhas no neighbour`,
  );
});

test("who waits for a program goes on when it does what is waited for", async () => {
  const server = start("exec sleep 100");
  let looks = 0;
  await server.until(async () => ++looks === 3, { what: "the server to answer" });
  await server.kill();
  expect(looks).toBe(3);
});
