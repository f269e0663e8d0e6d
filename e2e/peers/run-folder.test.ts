import { spawn } from "node:child_process";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { z } from "zod";
import { until } from "../world/until.ts";
import { runFolder } from "./run-folder.ts";

/** Starts a peer that starts a process in a session of its own, tells both process ids, and waits. */
const owner = `
  import { PeerProcess, peerRunFolder } from "${join(import.meta.dirname, "peer-process.ts")}";
  const script = 'setsid sleep 600 & echo $!; wait';
  const peer = new PeerProcess(await peerRunFolder("sleeper"), {
    title: "sleeper",
    command: ["sh", "-c", script],
    pipeOutput: true,
  });
  peer.process.child.stdout.once("data", (pid) => {
    console.log(JSON.stringify({ peer: peer.process.pid, descendant: Number(pid), folder: peer.folder }));
  });
`;

const started = z.object({ peer: z.number(), descendant: z.number(), folder: z.string() });

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("peers, and what they have started, end with a test that crashes", async () => {
  const crashing = spawn(process.execPath, ["--input-type=module", "--eval", owner], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface(crashing.stdout)[Symbol.asyncIterator]();
  const { peer, descendant, folder } = started.parse(JSON.parse((await lines.next()).value ?? ""));
  expect([isRunning(peer), isRunning(descendant)]).toEqual([true, true]);

  crashing.kill("SIGKILL");
  // The kernel ends the peer. What it started is found by the next who starts peers: here, this process.
  await until(() => !isRunning(peer), { what: "the peer to end" });
  expect(isRunning(descendant)).toBe(true);
  await runFolder();
  await until(() => !isRunning(descendant), { what: "the peer's descendant to end" });
  await expect(access(folder)).rejects.toThrow("ENOENT");
});
