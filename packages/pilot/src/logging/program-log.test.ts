import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parseLogLevels } from "./log-levels.ts";
import { programLog } from "./program-log.ts";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "keelson-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

test("every scope has its level, every file every line", () => {
  const [first, second] = [join(folder(), "a"), join(folder(), "b")];
  const { levels } = parseLogLevels("default:warn,ads:debug");
  const log = programLog({ levels, json: false, targets: [first, second] });
  log("default").info("not said");
  log("default").warn("said");
  log("ads").debug({ node: "a" }, "pushed");
  const text = readFileSync(first, "utf8");
  expect(text).toMatch(/^\S+Z\twarn\tsaid\n\S+Z\tdebug\tads\tpushed\tnode=a\n$/);
  expect(readFileSync(second, "utf8")).toBe(text);
});

test("as JSON, fields are named as istiod names them", () => {
  const file = join(folder(), "log");
  const log = programLog({ levels: parseLogLevels("").levels, json: true, targets: [file] });
  log("default").info("ready");
  log("ads").error({ node: "a" }, "rejected");
  const [one, two] = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as object);
  expect(one).toEqual({ level: "info", time: expect.stringMatching(/^\d{4}-.*Z$/), msg: "ready" });
  expect(two).toEqual({ level: "error", time: expect.any(String), scope: "ads", node: "a", msg: "rejected" });
});

test("a file that cannot be written is named", () => {
  const settings = { levels: parseLogLevels("").levels, json: true, targets: ["/proc/nothing/log"] };
  expect(() => programLog(settings)).toThrow("--log_target: cannot write to /proc/nothing/log: ENOENT");
});
