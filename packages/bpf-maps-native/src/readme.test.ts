import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as api from "./index.ts";
import { cgroupPrograms } from "./kernel.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { operationsIn, readOperations } from "./testing/operations.ts";
import { makeCgroup, makeNamespace } from "./testing/places.ts";
import { startInside, startNode } from "./testing/processes.ts";
import { compileSource } from "./testing/programs.ts";
import { readmeFile, renderReadme } from "./testing/readme.ts";

test("the README's generated parts are what tests and example say: `pnpm readme` writes them", () => {
  const readme = readFileSync(readmeFile, "utf8");
  expect(readme).toBe(renderReadme(readme));
});

test("titles of kernel tests are read, also in pieces, and one that is malformed is refused", () => {
  const source = [
    'kernelTest("not an operation", () => {});',
    'kernelTest(\n  "operation: a name (X.y, z) - what \\"is\\" " +\n    "shown",\n  () => {});',
  ];
  expect(operationsIn("a.test.ts", source.join("\n"))).toMatchObject([
    { name: "a name", calls: ["X.y", "z"], shows: 'what "is" shown', file: "a.test.ts" },
  ]);
  expect(() => operationsIn("a.test.ts", 'kernelTest("operation: no calls - shown", () => {});')).toThrow(
    'a.test.ts: "operation: no calls - shown" is not',
  );
});

/** All that users can call: "unpin", "RingBuffer", "BpfMap.create", "BpfMap.lookup". */
function publicCalls(): Set<string> {
  const calls = new Set<string>();
  for (const [name, value] of Object.entries<object>(api)) {
    calls.add(name);
    const prototype: unknown = Reflect.get(value, "prototype");
    if (typeof prototype !== "object" || prototype === null) continue;
    const members = [...Object.getOwnPropertyNames(value), ...Object.getOwnPropertyNames(prototype)];
    const plumbing = new Set(["length", "name", "prototype", "constructor"]);
    for (const member of members) if (!plumbing.has(member)) calls.add(`${name}.${member}`);
  }
  return calls;
}

test("every public call is in the table, and each call in the table is made by its test", () => {
  const operations = readOperations();
  const named = new Set(operations.flatMap(({ calls }) => calls));
  const constructed = new Set([...named].map((call) => call.split(".")[0]));
  const unnamed = [...publicCalls()].filter((call) => !named.has(call) && !constructed.has(call));
  expect(unnamed).toEqual([]);
  expect([...named].filter((call) => !publicCalls().has(call))).toEqual([]);
  for (const { file, calls, body, name } of operations) {
    const source = readFileSync(join(import.meta.dirname, file), "utf8");
    for (const call of calls) {
      const member = call.split(".").at(-1) ?? call;
      expect(source, `${name} in ${file}`).toMatch(new RegExp(`\\b${member}\\b`));
    }
    expect(body).toMatch(/\bexpect/);
  }
  const names = operations.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
});

const dial = `import net from "node:net";
net.connect(Number(process.argv[1]), "127.0.0.1").on("error", (error) => console.log(error.code));`;

kernelTest("the README's example prints the connections of a cgroup, until it is interrupted", async () => {
  await using stack = new AsyncDisposableStack();
  const cgroup = stack.use(makeCgroup());
  const space = stack.use(makeNamespace());
  const example = join(import.meta.dirname, "example");
  const object = compileSource(join(example, "connects.bpf.c"));
  const watcher = stack.use(startNode(join(example, "connects.ts"), object, cgroup.path));
  const attached = () => cgroupPrograms(cgroup.path, "cgroup_inet4_connect");
  await expect.poll(attached, { timeout: 20_000 }).toHaveLength(1);
  for (const port of [53, 7]) {
    const caller = stack.use(startInside({ cgroup: cgroup.path, netns: space.name }, dial, String(port)));
    expect(await caller.readLine()).toBe("ECONNREFUSED");
  }
  expect(await watcher.readLine()).toBe("{ address: 2130706433, port: 7 }");
  watcher.kill("SIGINT");
  expect(await watcher.end()).toBe(0);
  expect(attached()).toEqual([]);
});
