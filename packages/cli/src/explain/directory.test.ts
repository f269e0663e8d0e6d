import { expect, test } from "vitest";
import { parse } from "yaml";
import { reviews, reviewsRule, service } from "../testing/config.ts";
import { directoryWith, keelson } from "../testing/keelson.ts";

const config = {
  "reviews.yaml": reviews,
  "rule.yaml": reviewsRule("v1"),
  "ratings.yaml": service("ratings"),
};

test("a directory is explained as a control plane would", async () => {
  const cwd = directoryWith(config);
  expect(await keelson(["explain", "--config-dir", ".", "reviews"], { cwd })).toEqual({
    code: 0,
    stderr: "",
    stdout: `reviews.default.svc.cluster.local
  addresses  10.96.0.3

  port 9080/TCP (http)
    protocol  http
    tier      connect: all requests go to one destination
    rules, in the order in which they are asked
      PRECEDENCE  RULE                               STATE    WHY
      1           RouteRule default/reviews-default  applies
    destinations
      SHARE  TO          ENDPOINT       WORKLOAD
      100%   version=v1  10.0.0.1:9080  default/reviews-v1
`,
  });
});

test("without a service, all are explained, in JSON and YAML alike", async () => {
  const cwd = directoryWith(config);
  const json = await keelson(["explain", "--config-dir", ".", "-o", "json"], { cwd });
  const yaml = await keelson(["explain", "--config-dir", ".", "-o", "yaml"], { cwd });
  const explained: unknown = JSON.parse(json.stdout);
  expect(explained).toMatchObject([
    { hostname: "ratings.default.svc.cluster.local" },
    {
      hostname: "reviews.default.svc.cluster.local",
      ports: [{ tier: "connect", destinations: [{ share: 1 }] }],
    },
  ]);
  expect(parse(yaml.stdout)).toEqual(explained);
});

test("a label that no pod has: its share is refused, and the labels that there are are told", async () => {
  const cwd = directoryWith({ ...config, "rule.yaml": reviewsRule("v9") });
  const { code, stdout } = await keelson(["explain", "--config-dir", ".", "reviews.default"], { cwd });
  expect(code).toBe(0);
  expect(stdout).toMatch(/100% {3}version=v9 {2}none/);
  expect(stdout).toContain(
    "warning: 100% to version=v9: none of its 2 endpoints has the labels version=v9; there are: version=v1; version=v2: this share is refused (ECONNREFUSED)",
  );
});

test("an unknown service ends with 1 and a suggestion", async () => {
  const cwd = directoryWith(config);
  expect(await keelson(["explain", "--config-dir", ".", "reviewz"], { cwd })).toEqual({
    code: 1,
    stdout: "",
    stderr: "keelson: there is no service reviewz; did you mean reviews?\n",
  });
});

test("errors of the configuration are counted beside, and --domain names services", async () => {
  const cwd = directoryWith({ ...config, "rule.yaml": "kind: [" });
  const args = ["explain", "--config-dir", ".", "--domain", "example.org", "reviews.default.svc.example.org"];
  const { code, stdout, stderr } = await keelson(args, { cwd });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^reviews\.default\.svc\.example\.org\n/);
  expect(stderr).toMatch(
    /^keelson: the configuration has \d+ errors?, and what they name has no effect: see keelson validate \.\n$/,
  );
});

test.each([
  [["--config-dir", "none"], "keelson: cannot read none: no such file or directory\n"],
  [["--config-dir", "a.yaml"], "keelson: cannot read a.yaml: it is no directory\n"],
  [
    ["--config-dir", ".", "--server", "127.0.0.1:1"],
    "keelson: option '--config-dir <directory>' cannot be used with option '--server <url>'\n",
  ],
  [["--domain", "example.org"], "keelson: --domain is for --config-dir; a control plane knows its own\n"],
  [
    ["--server", "ftp://x"],
    "keelson: option '--server <url>' argument 'ftp://x' is invalid. Expected a URL such as http://127.0.0.1:8080.\n",
  ],
])("%j is wrong usage", async (args, message) => {
  const cwd = directoryWith({ "a.yaml": "" });
  const { code, stdout, stderr } = await keelson(["explain", ...args], { cwd });
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr.startsWith(message)).toBe(true);
});
