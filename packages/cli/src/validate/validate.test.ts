import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { reviews, reviewsRule } from "../testing/config.ts";
import { directoryWith, hasColours, keelson, keelsonOnTerminal, startKeelson } from "../testing/keelson.ts";

const misspelt = `apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata:
  name: x
spec:
  destination:
    name: reviews
  route:
  - labels: {version: v1}
    weight: 80
  - labels: {version: v2}
    wieght: 20
`;

test("errors are printed with their place, and the program ends with 1", async () => {
  const cwd = directoryWith({ "rule.yaml": misspelt });
  expect(await keelson(["validate", "rule.yaml"], { cwd })).toEqual({
    code: 1,
    stdout: `rule.yaml:12:5: error: RouteRule default/x spec.route[1].wieght: unknown field "wieght"; did you mean "weight"?
1 file, 1 object: 1 error
`,
    stderr: "",
  });
});

test("a directory is read with all below it, but no hidden files and none of other kinds", async () => {
  const cwd = directoryWith({
    "config/reviews.yml": reviews,
    "config/deep/er/rule.json": JSON.stringify(parse(reviewsRule("v1"))),
    "config/.hidden.yaml": "kind: [",
    "config/..data/rule.yaml": "kind: [",
    "config/notes.txt": "kind: [",
  });
  symlinkSync("..", join(cwd, "config/deep/loop"));
  const { code, stdout } = await keelson(["validate", "config"], { cwd });
  expect(stdout).toBe("2 files, 5 objects: no problems\n");
  expect(code).toBe(0);
});

test("the standard input is read for -", async () => {
  const { code, stdout } = await keelson(["validate", "-"], { stdin: misspelt });
  expect(stdout).toMatch(/^<stdin>:12:5: error: RouteRule default\/x/);
  expect(code).toBe(1);
});

test("a file that is named twice is read once", async () => {
  const cwd = directoryWith({ "rule.yaml": reviewsRule("v1") });
  const { code, stdout } = await keelson(["validate", "rule.yaml", ".", "./rule.yaml"], { cwd });
  expect(stdout).toBe("1 file, 1 object: no problems\n");
  expect(code).toBe(0);
});

test("warnings fail only when asked to", async () => {
  const cwd = directoryWith({ "rule.yaml": reviewsRule("v9"), "reviews.yaml": reviews });
  const usual = await keelson(["validate", "."], { cwd });
  expect(usual.stdout).toMatch(/^rule\.yaml:11:5: warning: .*\n2 files, 5 objects: 1 warning\n$/);
  expect(usual.code).toBe(0);
  expect((await keelson(["validate", "--strict", "."], { cwd })).code).toBe(1);
});

test("--complete tells what the files lack, --domain how services are called", async () => {
  const cwd = directoryWith({ "rule.yaml": reviewsRule("v1") });
  const { stdout } = await keelson(["validate", "--complete", "--domain", "example.org", "."], { cwd });
  expect(stdout).toContain("there is no service reviews.default.svc.example.org");
});

test("JSON and YAML hold the same", async () => {
  const cwd = directoryWith({ "rule.yaml": misspelt });
  const json = await keelson(["validate", "-o", "json", "rule.yaml"], { cwd });
  const yaml = await keelson(["validate", "--output", "yaml", "rule.yaml"], { cwd });
  expect(JSON.parse(json.stdout)).toMatchObject({
    files: 1,
    objects: 1,
    errors: 1,
    warnings: 0,
    problems: [{ severity: "error", location: { file: "rule.yaml", line: 12, column: 5 } }],
  });
  expect(parse(yaml.stdout)).toEqual(JSON.parse(json.stdout));
  expect([json.code, yaml.code]).toEqual([1, 1]);
});

test("all that cannot be read is named, and nothing else is said", async () => {
  const cwd = directoryWith({ "rule.yaml": reviewsRule("v1"), "empty/notes.txt": "" });
  expect(await keelson(["validate", "none.yaml", "rule.yaml", "empty"], { cwd })).toEqual({
    code: 2,
    stdout: "",
    stderr: `keelson: cannot read none.yaml: no such file or directory
keelson: cannot read empty: there is no file in it that ends in .yaml, .yml, .json
`,
  });
});

test("without a file the program says how it is used", async () => {
  const { code, stdout, stderr } = await keelson(["validate"]);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toBe(
    "keelson: missing required argument 'file'\nkeelson validate --help shows how it is used\n",
  );
});

test("colours are for terminals, unless NO_COLOR is set", async () => {
  const args = ["validate", join(directoryWith({ "rule.yaml": misspelt }), "rule.yaml")];
  const shown = await keelsonOnTerminal(args, {});
  expect(hasColours(shown.stdout)).toBe(true);
  expect(shown.code).toBe(1);
  const plain = await keelsonOnTerminal(args, { NO_COLOR: "1" });
  expect(plain.stdout).toContain("rule.yaml:12:5: error:");
  expect(hasColours(plain.stdout)).toBe(false);
  expect(hasColours((await keelson(args)).stdout)).toBe(false);
});

test("a reader that goes away early is no reason to complain", async () => {
  const cwd = directoryWith({ "rules.yaml": `---\n${misspelt}`.repeat(3_000) });
  const child = startKeelson(["validate", "rules.yaml"], { cwd });
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdout?.once("data", () => child.stdout?.destroy());
  await new Promise((resolve) => child.on("close", resolve));
  expect(stderr).toBe("");
});
