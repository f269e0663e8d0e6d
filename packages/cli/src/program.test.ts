import { expect, test } from "vitest";
import { keelson } from "./testing/keelson.ts";

test("the help names the commands, and each command's help has examples and exit codes", async () => {
  const { code, stdout } = await keelson(["--help"]);
  expect(code).toBe(0);
  for (const name of ["validate", "explain", "status"]) {
    expect(stdout).toContain(`\n  ${name} `);
    const help = await keelson([name, "--help"]);
    expect(help.code).toBe(0);
    expect(help.stdout).toContain("\nExamples:\n  keelson ");
    expect(help.stdout).toMatch(/\nExit codes:\n {2}0 {2}.+\n {2}1 {2}.+\n {2}2 {2}/);
  }
});

test("the version is the package's", async () => {
  const { code, stdout } = await keelson(["--version"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test.each([
  [[], /^Usage: keelson/],
  [["valdate"], /^keelson: unknown command 'valdate'\n\(Did you mean validate\?\)\nkeelson --help/],
  [
    ["status", "--sever", "x"],
    /^keelson: unknown option '--sever'\n\(Did you mean --server\?\)\nkeelson status --help/,
  ],
  [["status", "-o", "xml"], /argument 'xml' is invalid\. Allowed choices are text, json, yaml\.\n/],
  [["status", "-w", "0"], /argument '0' is invalid\. Expected seconds between 0\.1 and 86400\.\n/],
  [
    ["status", "-w", "1", "-o", "json"],
    /^keelson: option '-w, --watch \[seconds\]' cannot be used with option '-o, --output <format>'\n/,
  ],
])("%j is wrong usage", async (args, message) => {
  const { code, stdout, stderr } = await keelson(args);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(message);
});
