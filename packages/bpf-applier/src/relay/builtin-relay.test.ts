import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { originKey, originValue } from "@keelson/bpf";
import { objectPath } from "@keelson/bpf/object";
import { mapAddress } from "@keelson/model/address";
import { type BpfMap, BpfObject, endHolder, listenInNamespace } from "bpf-maps-native";
import { expect } from "vitest";
import { kernelTest } from "../kernel.test-helper.ts";
import { PinFolder } from "../pins.ts";
import { BuiltinRelay } from "./builtin-relay.ts";
import { left, own, policy } from "./left-relay.test-helper.ts";
import { bucketOf } from "./process/latency-buckets.ts";
import type { RelayRequest } from "./relay.ts";

const name = `keelson-relay-${process.pid}`;
const path = `/run/netns/${name}`;
const network = 77n;
const callerPort = 40_001;
const loopback = mapAddress(Uint8Array.of(127, 0, 0, 1));

function makeNamespace(stack: AsyncDisposableStack): void {
  execFileSync("ip", ["netns", "add", name]);
  stack.defer(() => {
    execFileSync("ip", ["netns", "del", name]);
  });
  execFileSync("nsenter", [`--net=${path}`, "ip", "link", "set", "lo", "up"]);
}

/** A server in the namespace that says who it is. */
async function serve(stack: AsyncDisposableStack, text: string): Promise<number> {
  const server = createServer((_, response) => response.end(text));
  server.listen({ fd: await listenInNamespace(path, { address: "127.0.0.1", port: 0 }) });
  await once(server, "listening");
  stack.defer(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Asks from inside the namespace, from a port that is known beforehand, so that programs' word on it can be given. */
async function ask(origins: BpfMap, port: number): Promise<string> {
  const key = originKey.encode({ network, address: loopback, port: callerPort });
  const dialled = { dialledAddress: new Uint8Array(16), dialledPort: 80 };
  origins.update(key, originValue.encode({ workload: 5n, service: 9n, cookie: 1n, ...dialled }));
  const { stdout } = await promisify(execFile)("nsenter", [
    `--net=${path}`,
    process.execPath,
    "--input-type=module",
    "--eval",
    `import { request } from "node:http";
    request({ host: "127.0.0.1", port: ${port}, localPort: ${callerPort}, agent: false }, (answer) => answer.pipe(process.stdout)).end();`,
  ]);
  expect(origins.lookup(key)).toBeUndefined();
  return stdout;
}

kernelTest(
  "the relay answers callers of a network namespace there, knows whose they are by the kernel, and counts",
  async () => {
    await using stack = new AsyncDisposableStack();
    makeNamespace(stack);
    const pins = await PinFolder.create(name);
    stack.defer(() => pins.remove());
    using object = await BpfObject.open(objectPath);
    await object.load();
    const origins = object.map("origins");
    origins.pin(pins.map("origins"));

    const exits: string[] = [];
    const relay = await BuiltinRelay.start({
      origins: pins.map("origins"),
      onExit: (reason) => exits.push(reason),
    });
    stack.defer(() => relay.close());
    await relay.setPolicy(policy(await serve(stack, "served there")));
    const { port4, port6 } = await relay.addNetwork({ cookie: network, path });
    expect(port6).toBeGreaterThan(0);

    expect(await ask(origins, port4)).toBe("served there");
    const [counted] = await relay.counters();
    expect(counted).toMatchObject({
      workload: 5n,
      service: 9n,
      route: "all",
      statusClass: 2,
      requests: 1n,
      bytesReceived: 12n,
    });
    const { latency = [], latencySumUs } = counted ?? {};
    // To less than a microsecond it is the time of the one request.
    expect(bucketOf(Number(latencySumUs))).toBeOneOf([latency[0], (latency[0] ?? 0) + 1]);
    await expect
      .poll(() => relay.status())
      .toMatchObject({ networks: 1, requests: 1n, refused: { overflow: 0 } });

    const seen: RelayRequest[] = [];
    await relay.observe({ every: 1, onRequests: ({ requests }) => seen.push(...requests) });
    await ask(origins, port4);
    const expected = { workload: 5n, service: 9n, route: "all", method: "GET", path: "/", status: 200 };
    await expect.poll(() => seen).toMatchObject([{ ...expected, bytesSent: 0, bytesReceived: 12 }]);
    expect(seen[0]?.microseconds).toBeGreaterThan(0);

    const { pid = 0 } = relay.status();
    process.kill(pid, "SIGKILL");
    await expect.poll(() => exits).toEqual(["SIGKILL"]);
    await expect(relay.counters()).rejects.toThrow("its process has ended: SIGKILL");
  },
);

kernelTest(
  "an agent that comes has the relay of the one before, if it would start the same; else another one; ended in order there is none",
  async () => {
    await using stack = new AsyncDisposableStack();
    const { options } = await left(stack, `${name}-next`);

    const first = await BuiltinRelay.start(options);
    await first.setPolicy(policy(1));
    const ports = await first.addNetwork(own);
    const { pid } = first.status();
    first.leave();

    const second = await BuiltinRelay.start(options);
    expect(second.status().pid).toBe(pid);
    expect([...second.inherited]).toEqual([network]);
    await second.setPolicy(policy(1));
    expect(await second.addNetwork(own)).toEqual(ports);
    second.leave();

    const holder = `${options.line}.held`;
    stack.defer(() => {
      endHolder(holder);
    });
    const third = await BuiltinRelay.start({ ...options, holder });
    expect(third.status().pid).not.toBe(pid);
    expect([...third.inherited]).toEqual([]);
    await third.setPolicy(policy(1));
    third.leave();
    await BuiltinRelay.endEarlier(options.line);
    expect(endHolder(holder)).toBe(false);
  },
);

kernelTest("an agent may take its first policy back from the relay of the one before", async () => {
  await using stack = new AsyncDisposableStack();
  const { options, origins } = await left(stack, `${name}-next`);
  makeNamespace(stack);
  const [before, after] = [await serve(stack, "before"), await serve(stack, "after")];
  const first = await BuiltinRelay.start(options);
  await first.setPolicy(policy(before));
  const { port4 } = await first.addNetwork({ cookie: network, path });
  first.leave();
  const second = await BuiltinRelay.start(options);
  await second.setPolicy(policy(after));
  expect(await ask(origins, port4)).toBe("after");
  await second.takePolicyBack();
  expect(await ask(origins, port4)).toBe("before");
  await expect(second.takePolicyBack()).rejects.toThrow("cannot be taken back");
  await second.setPolicy(policy(after));
  expect(await ask(origins, port4)).toBe("after");
  second.leave();
});

/** Waits for its end, with arguments as a relay has them. @param wrapper what it runs in */
function decoyOf(line: string, uid: number, wrapper: readonly string[]): ChildProcess {
  const script = 'exec sh -c "read none" sh --line "$LINE" end';
  return spawn("env", [...wrapper, "sh", "-c", script], {
    uid,
    env: { ...process.env, LINE: line },
    stdio: ["pipe", "inherit", "inherit"],
  });
}

const argumentsOf = (pid: number | string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
};

kernelTest("whose arguments are a relay's is none, if it is of another user or of a pod", async () => {
  await using stack = new AsyncDisposableStack();
  const { options } = await left(stack, `${name}-next`);
  const decoys = [
    decoyOf(options.line, 65_534, []),
    decoyOf(options.line, 0, ["unshare", "--pid", "--fork", "--kill-child"]),
  ];
  for (const decoy of decoys) stack.defer(() => void decoy.kill());
  const looksLikeOne = (id: string): boolean => argumentsOf(id).includes(`\0--line\0${options.line}\0`);
  await expect.poll(() => readdirSync("/proc").filter(looksLikeOne)).toHaveLength(2);

  const first = await BuiltinRelay.start(options);
  await first.setPolicy(policy(1));
  const { pid } = first.status();
  first.leave();
  const second = await BuiltinRelay.start(options);
  expect(second.status().pid).toBe(pid);
  second.leave();
  await BuiltinRelay.endEarlier(options.line);
  expect(argumentsOf(pid ?? 0)).toBe("");
  expect(readdirSync("/proc").filter(looksLikeOne)).toHaveLength(2);
});

kernelTest(
  "a relay that is about to end is nobody's any more, and the next one is started once it has",
  async () => {
    await using stack = new AsyncDisposableStack();
    const { options } = await left(stack, `${name}-next`);
    const first = await BuiltinRelay.start(options);
    const { pid } = first.status();
    const [second] = await Promise.all([BuiltinRelay.start(options), first.close()]);
    expect(second.status().pid).not.toBe(pid);
    expect(await second.addNetwork(own)).toMatchObject({ port4: expect.any(Number) });
    second.leave();
  },
);

kernelTest("a relay ends at SIGTERM if no agent is there, who would say so", async () => {
  await using stack = new AsyncDisposableStack();
  const { options } = await left(stack, `${name}-next`);
  const relay = await BuiltinRelay.start(options);
  await relay.setPolicy(policy(1));
  const { pid = 0 } = relay.status();
  process.kill(pid, "SIGTERM");
  await relay.setPolicy(policy(2));
  relay.leave();
  await expect
    .poll(() => {
      const words = argumentsOf(pid);
      if (words !== "") process.kill(pid, "SIGTERM");
      return words;
    })
    .toBe("");
});
