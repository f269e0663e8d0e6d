import { execFile } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const program = join(import.meta.dirname, "main.ts");

function run(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

test.concurrent.each([
  [["fly"], 'bpf-applier: there is no command "fly"\n'],
  [["staus"], 'bpf-applier: there is no command "staus"; did you mean status?\n'],
  [["--metrics-address", "here"], '"here": expected HOST:PORT'],
  [["--control-plane", "istiod.istio-system.svc"], '"istiod.istio-system.svc": expected HOST:PORT'],
  [["--control-plane", ":15012"], '":15012": expected HOST:PORT'],
  [["--control-plane", "127.0.0.1:99999"], '"127.0.0.1:99999": expected HOST:PORT'],
])("%j is wrong usage", async (args, message) => {
  const { code, stderr } = await run(args);
  expect(stderr).toContain(message);
  expect(stderr.split("\n").length).toBeLessThan(6);
  expect(code).toBe(2);
});

test.concurrent("its version", async () => {
  expect(await run(["--version"])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  });
  expect(await run(["run", "--help"])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("--sockets"),
  });
});

test.concurrent("what cannot be done is no wrong usage", async () => {
  const nowhere = join(import.meta.dirname, "nowhere");
  expect(await run(["status", "--run-dir", nowhere])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`no bpf-applier of node`),
  });
});
