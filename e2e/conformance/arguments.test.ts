import { describe, expect, test } from "vitest";
import { help, listText, parseConformanceArguments } from "./arguments.ts";
import { isChanging } from "./case.ts";

const run = (...args: string[]) => {
  const command = parseConformanceArguments(args);
  if (command.kind !== "run") throw new Error(JSON.stringify(command));
  return command;
};
const wrong = (...args: string[]): string => {
  const command = parseConformanceArguments(args);
  return command.kind === "wrong" ? command.message : `it is a ${command.kind}`;
};

test("without arguments our own server is examined by all cases in both variants", () => {
  const { target, plan, json, patienceMs, differences } = run();
  expect({ target, json, patienceMs, differences }).toEqual({
    target: { start: "keelson" },
    json: false,
    patienceMs: 10_000,
    differences: undefined,
  });
  expect(new Set(plan.map(({ variant }) => variant))).toEqual(new Set(["sotw", "delta"]));
});

test("a variant, cases by name, and those that are quick", () => {
  expect(run("--variant", "delta").plan.every(({ variant }) => variant === "delta")).toBe(true);
  const named = run("--case", "ack-is-not-answered", "--case", "stale-nonce-is-ignored").plan;
  expect(named.map(({ each, variant }) => `${each.name} ${variant}`)).toEqual([
    "ack-is-not-answered sotw",
    "ack-is-not-answered delta",
    "stale-nonce-is-ignored sotw",
  ]);
  expect(run("--quick").plan.some(({ each }) => each.slow === true)).toBe(false);
  expect(run("--quick", "--case", "changes-without-end-are-sent").plan).toHaveLength(2);
});

test("a server that runs, with and without its folder", () => {
  expect(run("--server", "h:1").target).toEqual({ address: "h:1", namespace: "default" });
  expect(run("--server", "h:1", "--namespace", "n").target).toMatchObject({ namespace: "n" });
  expect(run("--server", "h:1", "--config-folder", "/c").target).toMatchObject({ configFolder: "/c" });
});

describe("wrong usage", () => {
  test.each([
    [["--nonsense"], "Unknown option '--nonsense'"],
    [["--variant", "v2"], '--variant: "v2" is none of sotw, delta, both'],
    [["--case", "nothing"], "there is no case nothing; --list has them all"],
    [["--case", "stale-nonce-is-ignored", "--variant", "delta"], "none of these cases has the variant delta"],
    [["--server", "here"], '--server: "here" is no HOST:PORT'],
    [["--server", "h:1", "--start", "istiod"], "either --server or --start, not both"],
    [["--config-folder", "/c"], "--config-folder and --namespace are of a server that runs already"],
    [["--start", "contour"], '--start: "contour" is none of keelson, istiod'],
    [["--patience", "0"], '--patience: "0" is no number of seconds from above 0 to 600'],
    [["-o", "yaml"], '--output: "yaml" is none of text, json'],
  ])("%j", (args, message) => {
    expect(wrong(...args)).toContain(message);
  });
});

test("help names every option, and the list every case with its rules", () => {
  expect(parseConformanceArguments(["-h"])).toEqual({ kind: "help" });
  for (const option of ["--server", "--config-folder", "--list", "--case", "Exit code"])
    expect(help).toContain(option);
  const command = parseConformanceArguments(["--list"]);
  if (command.kind !== "list") throw new Error(command.kind);
  const text = listText(command.plan);
  for (const { each } of command.plan) expect(text).toContain(each.name);
  expect(text).toContain("stale-nonce-is-ignored  (sotw; sotw-stale)");
  expect(command.plan.some(({ each }) => isChanging(each))).toBe(true);
});
