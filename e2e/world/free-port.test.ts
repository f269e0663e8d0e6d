import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";
import { freePort } from "./free-port.ts";

const module = join(import.meta.dirname, "free-port.ts");

/** As another process would be given it, for which every draw comes out alike. */
async function drawnElsewhere(random: number): Promise<number> {
  const script = `Math.random = () => ${random}; console.log(await (await import(${JSON.stringify(module)})).freePort())`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
  return Number(stdout);
}

test("a port that was given is given to no other process, though nobody listens on it", async () => {
  const port = await freePort();
  const random = (port - 16_384 + 0.5) / 16_000;
  await expect(drawnElsewhere(random)).rejects.toThrow(
    "none of 100 ports of 127.0.0.1 from 16384 on is free",
  );
  // The same draw, had it not been given: what is seen above is not the other process's fault.
  await expect(drawnElsewhere((random + 0.37) % 1)).resolves.toBeGreaterThan(0);
});

test("a port that somebody listens on is passed over, and refused where it is wanted", async () => {
  const draws = vi.spyOn(Math, "random");
  const first = await freePort();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(first, "127.0.0.1", resolve));
  draws.mockReturnValueOnce((first - 16_384 + 0.5) / 16_000);
  expect(await freePort()).not.toBe(first);
  await expect(freePort(first)).rejects.toThrow(`port ${first} of 127.0.0.1 is taken by another program`);
  draws.mockRestore();
  await new Promise((resolve) => server.close(resolve));
  expect(await freePort(first)).toBe(first);
});
