import type { NodeView, Problem, StatusView } from "@keelson/model";
import { expect, test } from "vitest";
import { plain } from "../output/paint.ts";
import { nodeState, type StatusReport, statusReport } from "./node-state.ts";
import { statusText } from "./text.ts";

const now = new Date("2026-01-01T12:00:00.000Z");

const node = (part: Partial<NodeView>): NodeView => ({
  name: "n1",
  id: "n1",
  peer: "127.0.0.1:1234",
  connectedAt: "2026-01-01T10:00:00.000Z",
  wantedVersion: "12",
  appliedVersion: "12",
  rejected: {},
  ...part,
});

const report = (part: Partial<StatusView>): StatusReport =>
  statusReport("http://127.0.0.1:8080", {
    program: "0.1.0",
    startedAt: "2026-01-01T09:00:00.000Z",
    version: "12",
    versionSince: "2026-01-01T11:59:55.000Z",
    services: 4,
    objects: 21,
    problems: [],
    nodes: [],
    ...part,
  });

const textOf = (part: Partial<StatusView>): string => statusText(report(part), now, plain);

test("a control plane and its nodes, one of each state", () => {
  const nodes = [
    node({}),
    node({ name: "node-2", appliedVersion: "11", pendingSince: "2026-01-01T11:59:40.000Z" }),
    node({ name: "n3", appliedVersion: "", connectedAt: "2026-01-01T11:59:59.000Z" }),
    node({
      name: "n4",
      appliedVersion: "11",
      pendingSince: "2026-01-01T11:59:40.000Z",
      rejected: { "type.googleapis.com/keelson.policy.v1.Service": "map services: ENOSPC\nfull log:\n1\n" },
    }),
  ];
  expect(textOf({ nodes })).toBe(`control plane  http://127.0.0.1:8080
program        0.1.0, up for 3h
version        12, for 5s
configuration  4 services from 21 objects
problems       no problems
nodes          1 REJECTED, 2 PENDING, 1 SYNCED

NODE    STATE            WANTED  APPLIED   CONNECTED
n1      SYNCED           12      12        120m
node-2  PENDING for 20s  12      11        120m
n3      PENDING          12      none yet  1s
n4      REJECTED         12      11        120m

n4 rejected keelson.policy.v1.Service: map services: ENOSPC
  full log:
  1`);
});

test("the first problems are shown, errors before warnings, the others counted", () => {
  const problems = Array.from(
    { length: 7 },
    (_, i): Problem => ({
      severity: i === 6 ? "error" : "warning",
      message: `m${i}`,
      object: "",
      field: "",
      location: { file: "a.yaml", line: i + 1 },
    }),
  );
  const text = textOf({ problems });
  expect(text).toContain("problems       1 error, 6 warnings\n  a.yaml:7: error: m6\n");
  expect(text).toContain("  a.yaml:4: warning: m3\n  and 2 more: keelson status -o json shows them\n\n");
  expect(text).not.toContain("m4");
});

test("before the first version, and without nodes", () => {
  const text = textOf({ version: "", versionSince: "", services: 0, objects: 1 });
  expect(text).toContain("version        none yet\nconfiguration  0 services from 1 object\n");
  expect(text).toMatch(/\n\nno node is connected$/);
});

test("states are coloured", () => {
  const nodes = [node({}), node({ appliedVersion: "1" }), node({ rejected: { t: "r" } })];
  const text = statusText(report({ nodes }), now, (style, painted) => `<${style}>${painted}</>`);
  for (const painted of [
    "<green>SYNCED</>",
    "<yellow>PENDING</>",
    "<red>REJECTED</>",
    "<red>n1 rejected t</>",
  ]) {
    expect(text).toContain(painted);
  }
});

test.each([
  [{}, "SYNCED"],
  [{ appliedVersion: "11" }, "PENDING"],
  [{ pendingSince: "2026-01-01T11:59:40.000Z" }, "PENDING"],
  [{ appliedVersion: "" }, "PENDING"],
  [{ rejected: { t: "r" } }, "REJECTED"],
  [{ rejected: { t: "r" }, pendingSince: "2026-01-01T11:59:40.000Z" }, "REJECTED"],
] as const)("%j: %s", (part, state) => {
  expect(nodeState(node(part))).toBe(state);
});
