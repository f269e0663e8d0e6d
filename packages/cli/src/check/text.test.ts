import { expect, test } from "vitest";
import { plain } from "../output/paint.ts";
import { checkReport } from "./report.ts";
import { checkText } from "./text.ts";

const report = checkReport(
  "pre",
  ["node n1"],
  [
    {
      title: "rights",
      findings: [
        { check: "capabilities", state: "ok", found: "BPF, NET_ADMIN" },
        { check: "JIT compiler", state: "warning", found: "off", advice: "switch it on" },
      ],
    },
    {
      title: "places",
      findings: [
        { check: "cgroup v2", state: "error", found: "not mounted", advice: "mount it" },
        { check: "kube-proxy", state: "skipped", found: "not from here" },
      ],
    },
  ],
);

test("groups of lines, with what to do below a line", () => {
  expect(checkText(report, plain)).toBe(`node n1, before an installation

rights
  ok       capabilities  BPF, NET_ADMIN
  warning  JIT compiler  off
           to do: switch it on

places
  error    cgroup v2   not mounted
           to do: mount it
  skipped  kube-proxy  not from here

1 check ok, 1 error, 1 warning; 1 check skipped`);
});

test("states are coloured, and counted", () => {
  const text = checkText(report, (style, painted) => `<${style}>${painted}</>`);
  for (const painted of ["<green>ok</>", "<yellow>warning</>", "<red>error</>", "<dim>skipped</>"])
    expect(text).toContain(painted);
  expect(report.counts).toEqual({ ok: 1, warning: 1, error: 1, skipped: 1 });
});
