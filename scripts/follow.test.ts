import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const followModule = fileURLToPath(new URL("./follow.mjs", import.meta.url));

/** Says its process id, then each signal, and ends with 7 after the first one. */
const polite = `
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => process.stdout.write(signal + "\\n", () => process.exit(7)));
  setInterval(() => undefined, 1000);
  console.log(process.pid);`;
const rude = "setInterval(() => undefined, 1000); console.log(process.pid);";

/** A folder whose npm script "go" follows a program; "exec" as npm passes a signal to its shell only. */
function npmFolder(program: string): string {
  const folder = mkdtempSync(join(tmpdir(), "keelson-follow-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "program.mjs"), program);
  const follower = `import { follow } from ${JSON.stringify(followModule)};
    process.exitCode = await follow(process.execPath, ["program.mjs"]);`;
  writeFileSync(join(folder, "follower.mjs"), follower);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ scripts: { go: "exec node follower.mjs" } }));
  return folder;
}

interface Run {
  readonly child: ChildProcess;
  /** Of the program at the end of the chain. */
  readonly pid: number;
  readonly output: () => string;
}

async function start(command: string, args: string[], program: string): Promise<Run> {
  const child = spawn(command, args, { cwd: npmFolder(program), stdio: ["ignore", "pipe", "ignore"] });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
  await expect.poll(() => output).toMatch(/^\d+\n/m);
  return { child, pid: Number(/^\d+$/m.exec(output)?.[0]), output: () => output };
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test.for(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "%s reaches the program, whose exit code counts",
  async (signal) => {
    const { child, pid, output } = await start(process.execPath, ["follower.mjs"], polite);
    child.kill(signal);
    expect(await once(child, "close")).toEqual([7, null]);
    expect(output()).toBe(`${pid}\n${signal}\n`);
  },
);

test("a program that a signal ends is told as by shells", async () => {
  const { child, pid } = await start(process.execPath, ["follower.mjs"], rude);
  process.kill(pid, "SIGKILL");
  expect(await once(child, "close")).toEqual([137, null]);
});

test("SIGTERM to npm reaches the program", async () => {
  const { child, pid, output } = await start("npm", ["run", "--silent", "go"], polite);
  child.kill("SIGTERM");
  await once(child, "close");
  expect(output()).toBe(`${pid}\nSIGTERM\n`);
  await expect.poll(() => isAlive(pid)).toBe(false);
});
