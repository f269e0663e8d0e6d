import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { networkCookie } from "bpf-maps-native";
import { afterEach, beforeEach, expect } from "vitest";
import { kernelTest } from "../kernel.test-helper.ts";
import type { RelayNetwork } from "../relay/relay.ts";
import { PodNetworks } from "./pod-networks.ts";

// What is read of a cgroup are its folders and the process ids in their files.
let cgroup: string;
let networks: PodNetworks;
let told: ReadonlyMap<bigint, RelayNetwork>[];
const errors: Error[] = [];

beforeEach(() => {
  cgroup = mkdtempSync(join(tmpdir(), "keelson-networks-"));
  told = [];
  networks = new PodNetworks(
    (now) => Promise.resolve(void told.push(now)),
    (error) => errors.push(error),
  );
});
afterEach(() => {
  networks.stop();
  rmSync(cgroup, { recursive: true });
  expect(errors).toEqual([]);
});

const pod = (id: bigint) => ({ id, uid: String(id), path: join(cgroup, String(id)) });

function put(id: bigint, ...processes: number[]): void {
  mkdirSync(pod(id).path, { recursive: true });
  writeFileSync(join(pod(id).path, "cgroup.procs"), processes.map((one) => `${one}\n`).join(""));
}

/** A process in a network of its own, which goes with it. */
async function ownNetwork(stack: AsyncDisposableStack): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const child = spawn("unshare", ["--net", "sh", "-c", "echo there; exec cat"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdout.once("data", () => resolve());
  stack.defer(() => void child.kill("SIGKILL"));
  await promise;
  return child.pid ?? 0;
}

const cookies = (): bigint[] => [...(told.at(-1)?.keys() ?? [])];

kernelTest(
  "the network of a pod is told once there is one, however late, and can be entered until it goes",
  async () => {
    await using stack = new AsyncDisposableStack();
    const process = await ownNetwork(stack);
    const cookie = networkCookie(`/proc/${process}/ns/net`);
    put(1n);
    networks.update([pod(1n)]);
    expect(told).toEqual([]);
    put(1n, globalThis.process.pid);
    put(1n, globalThis.process.pid, process);
    await expect.poll(cookies).toEqual([cookie]);
    const { path = "" } = told.at(-1)?.get(cookie) ?? {};
    execFileSync("kill", ["-KILL", String(process)]);
    put(1n);
    expect(networkCookie(path)).toBe(cookie);
    networks.update([]);
    await expect.poll(cookies).toEqual([]);
    await expect.poll(() => told.length).toBe(2);
    expect(() => networkCookie(path)).toThrow("ENOENT");
  },
);

kernelTest("a pod whose sandbox is made anew has another network", async () => {
  await using stack = new AsyncDisposableStack();
  const [first, second] = [await ownNetwork(stack), await ownNetwork(stack)];
  put(1n, first);
  networks.update([pod(1n)]);
  await expect.poll(cookies).toEqual([networkCookie(`/proc/${first}/ns/net`)]);
  put(1n, second);
  await expect.poll(cookies).toEqual([networkCookie(`/proc/${second}/ns/net`)]);
});

kernelTest("a pod on the node's network has none to be entered", async () => {
  put(1n, globalThis.process.pid);
  networks.update([pod(1n)]);
  await new Promise(setImmediate);
  expect(told).toEqual([]);
});

kernelTest("what keeps networks from being entered is said once, whatever descriptor it names", async () => {
  await using stack = new AsyncDisposableStack();
  const refusals: string[] = [];
  let asked = 0;
  const refused = new PodNetworks(
    () => Promise.reject(Object.assign(new Error(`descriptor ${++asked}`), { code: "EPERM" })),
    ({ message }) => refusals.push(message),
  );
  stack.defer(() => refused.stop());
  put(1n, await ownNetwork(stack));
  put(2n, await ownNetwork(stack));
  for (const pods of [[1n], [1n, 2n], [2n]]) refused.update(pods.map((id) => pod(id)));
  await expect.poll(() => asked).toBe(3);
  expect(refusals).toEqual([expect.stringMatching(/^descriptor 1; .*CAP_SYS_ADMIN/)]);
});
