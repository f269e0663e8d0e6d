import { rmSync } from "node:fs";
import { application, pod, routeRule, service, toVersion } from "@keelson/model/testing";
import { policyTypeUrls } from "@keelson/protos";
import { expect, test } from "vitest";
import { TestPilot } from "./testing/test-pilot.ts";

const { endpointSet, service: serviceType, workload } = policyTypeUrls;
const reviews = "reviews.default.svc.cluster.local";

test("a node gets the policy, and counts as applied when it has acked all of it", async () => {
  await using pilot = await TestPilot.start(...application());
  const { version } = pilot.controlPlane.status();
  const node = pilot.connect("node-a");
  const view = await pilot.untilNode("node-a", ({ appliedVersion }) => appliedVersion === version);
  expect(view).toMatchObject({ id: "bpf-applier~node-a", wantedVersion: version, rejected: {} });
  expect(view).not.toHaveProperty("pendingSince");
  // What is referred to comes first.
  expect(node.updates.map(({ typeUrl }) => typeUrl)).toEqual([endpointSet, serviceType, workload]);
  expect(node.names(serviceType)).toEqual([reviews]);
  expect(node.names(workload)).toEqual(["default/reviews-v1", "default/reviews-v2", "default/reviews-v3"]);
});

test("a pod is told to its own node only", async () => {
  await using pilot = await TestPilot.start(service(), pod(), pod({ name: "other", node: "node-b" }));
  const [a, b] = [pilot.connect("node-a"), pilot.connect("node-b")];
  const { version } = pilot.controlPlane.status();
  for (const name of ["node-a", "node-b"])
    await pilot.untilNode(name, ({ appliedVersion }) => appliedVersion === version);
  expect(a.names(workload)).toEqual(["default/reviews-v1"]);
  expect(b.names(workload)).toEqual(["default/other"]);
  expect(b.names(serviceType)).toEqual([reviews]);
});

test("a rule is sent as the difference that it makes", async () => {
  await using pilot = await TestPilot.start(...application());
  const { version } = pilot.controlPlane.status();
  const node = pilot.connect("node-a");
  await pilot.untilNode("node-a", ({ appliedVersion }) => appliedVersion === version);
  const before = node.updates.length;
  pilot.write("rule", routeRule({ route: [toVersion("v1")] }));
  const next = await pilot.untilVersion(version);
  expect(BigInt(next)).toBe(BigInt(version) + 1n);
  await pilot.untilNode("node-a", ({ appliedVersion }) => appliedVersion === next);
  expect(
    node.updates.slice(before).map(({ added, removed }) => [added.map(({ name }) => name), removed]),
  ).toEqual([
    [[`outbound|9080|version=v1|${reviews}`], []],
    [[reviews], []],
    [[], [`outbound|9080||${reviews}`]],
  ]);
});

test("a version is a new one only if a resource differs", async () => {
  await using pilot = await TestPilot.start(...application());
  const { version } = pilot.controlPlane.status();
  pilot.write("comment", { apiVersion: "v1", kind: "Nothing" });
  await pilot.untilProblems(1);
  expect(pilot.controlPlane.status().version).toBe(version);
  pilot.write("rule", routeRule({ route: [toVersion("v1")] }));
  const next = await pilot.untilVersion(version);
  pilot.write("rule", routeRule({ route: [toVersion("v1")] }));
  pilot.write("comment");
  await pilot.untilProblems(0);
  expect(pilot.controlPlane.status().version).toBe(next);
});

test("a node that rejects a version goes on with the one before, and says why", async () => {
  await using pilot = await TestPilot.start(...application());
  const { version: first } = pilot.controlPlane.status();
  const node = pilot.connect("node-a");
  await pilot.untilNode("node-a", ({ appliedVersion }) => appliedVersion === first);
  node.take = (update) =>
    update.typeUrl === serviceType ? Promise.reject(new Error("no room in the map")) : Promise.resolve();
  pilot.write("rule", routeRule({ route: [toVersion("v1")] }));
  const second = await pilot.untilVersion(first);
  const view = await pilot.untilNode("node-a", ({ rejected }) => Object.keys(rejected).length > 0);
  expect(view).toMatchObject({
    wantedVersion: second,
    appliedVersion: first,
    rejected: { [serviceType]: "no room in the map" },
  });
  expect(pilot.log.filter(({ level }) => level === 50)).toMatchObject([
    {
      msg: "a node rejected a version and goes on with the one before",
      node: "node-a",
      message: "no room in the map",
    },
  ]);
  node.take = () => Promise.resolve();
  pilot.write("rule", routeRule({ route: [toVersion("v2")] }));
  const third = await pilot.untilVersion(second);
  expect(await pilot.untilNode("node-a", ({ appliedVersion }) => appliedVersion === third)).toMatchObject({
    rejected: {},
  });
});

test("a node that asks again for what it rejects is one line of the log, and one when it takes it", async () => {
  await using pilot = await TestPilot.start(...application());
  let attempts = 0;
  let isBad = true;
  const take = ({ typeUrl }: { typeUrl: string }): Promise<void> => {
    if (typeUrl !== serviceType) return Promise.resolve();
    attempts += 1;
    return isBad ? Promise.reject(new Error("no room in the map")) : Promise.resolve();
  };
  pilot.connect("node-a", take, 20);
  const linesOf = (message: string): number => pilot.log.filter(({ msg }) => msg === message).length;
  const comings = (): number[] => ["node connected", "node disconnected"].map(linesOf);
  const [rejected, taken] = [
    "a node rejected a version and goes on with the one before",
    "a node takes what it rejected",
  ];
  await expect.poll(() => attempts).toBeGreaterThan(3);
  expect([linesOf(rejected), linesOf(taken), ...comings()]).toEqual([1, 0, 1, 0]);
  isBad = false;
  await expect.poll(() => linesOf(taken)).toBe(1);
  expect(linesOf(rejected)).toBe(1);
});

test("a node that owes an answer is shown as pending, with the version that it holds", async () => {
  await using pilot = await TestPilot.start(...application());
  const { version: first } = pilot.controlPlane.status();
  const node = pilot.connect("node-a");
  await pilot.untilNode("node-a", ({ appliedVersion }) => appliedVersion === first);
  const room = Promise.withResolvers<void>();
  node.take = () => room.promise;
  pilot.write("rule", routeRule({ route: [toVersion("v1")] }));
  const second = await pilot.untilVersion(first);
  const view = await pilot.untilNode("node-a", ({ pendingSince }) => pendingSince !== undefined);
  expect(view).toMatchObject({ wantedVersion: second, appliedVersion: first });
  room.resolve();
  await pilot.untilNode("node-a", ({ appliedVersion }) => appliedVersion === second);
});

test("a problem is logged once when it comes, and once when it is solved", async () => {
  await using pilot = await TestPilot.start(...application());
  const linesAbout = (text: string): string[] =>
    pilot.log.map(({ level, msg }) => `${level} ${msg}`).filter((line) => line.includes(text));
  pilot.write("rule", routeRule({ destination: "nowhere" }));
  await pilot.untilProblems(1);
  pilot.write("other", pod({ name: "other", node: "node-b" }));
  await pilot.untilVersion(pilot.controlPlane.status().version);
  pilot.write("rule");
  await pilot.untilProblems(0);
  const text =
    "RouteRule default/reviews-rule spec.destination: there is no service nowhere.default.svc.cluster.local";
  expect(linesAbout(text)).toEqual([
    expect.stringMatching(/^40 .*rule\.yaml:2:\d+: RouteRule/),
    expect.stringMatching(/^30 solved: .*rule\.yaml:2:\d+: RouteRule/),
  ]);
});

test("a port that is taken is named, and what to do is clear", async () => {
  await using pilot = await TestPilot.start();
  await using second = new TestPilot();
  await expect(second.controlPlane.listen({ host: "127.0.0.1", port: pilot.xdsPort })).rejects.toThrow(
    `cannot listen on 127.0.0.1:${pilot.xdsPort}: address already in use (EADDRINUSE)`,
  );
});

test("a directory that is not there ends the start", async () => {
  await using pilot = new TestPilot();
  rmSync(pilot.directory, { recursive: true });
  await expect(pilot.controlPlane.start()).rejects.toThrow(
    `no such file or directory, stat '${pilot.directory}'`,
  );
  expect(pilot.controlPlane.readiness.ready).toBe(false);
});

test("what it knows of itself", async () => {
  await using pilot = new TestPilot(...application());
  expect(pilot.controlPlane.status()).toMatchObject({
    version: "",
    versionSince: "",
    services: 0,
    nodes: [],
  });
  await pilot.controlPlane.start();
  expect(pilot.controlPlane.status()).toMatchObject({
    version: pilot.controlPlane.snapshot.version.toString(),
    services: 1,
    objects: 5,
    problems: [],
    nodes: [],
  });
  expect(pilot.controlPlane.hostnames()).toEqual([reviews]);
});

test("when it closes, nodes are told to look for another control plane", async () => {
  await using pilot = await TestPilot.start(...application());
  const node = pilot.connect("node-a");
  await pilot.untilNode("node-a", () => node.updates.length === 3);
  await pilot.controlPlane.close(10_000);
  expect(pilot.controlPlane.status().nodes).toEqual([]);
  expect(pilot.log.map(({ msg }) => msg)).toContain("node disconnected");
});
