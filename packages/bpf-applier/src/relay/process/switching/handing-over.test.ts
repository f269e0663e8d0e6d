import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endHolder } from "bpf-maps-native";
import { expect, test } from "vitest";
import { Holding } from "../holding/holding.ts";
import { readAll } from "../testing/relay-world.ts";
import { defaultBounds } from "./link-pools.ts";
import { RelayBefore } from "./relay-before.ts";
import { caller, held, ok, SwitchedWorld } from "./testing/switched-world.ts";

test("a connection of which programs take a request in the moment in which it is left to the next relay ends", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "keelson-held-"));
  const path = join(folder, "held");
  stack.defer(() => {
    endHolder(path);
    rmSync(folder, { recursive: true });
  });
  const errors: Error[] = [];
  let onLook = (): void => undefined;
  const holding = await Holding.open(
    { path, patience: 120 },
    (error) => errors.push(error),
    Object.assign(new RelayBefore(undefined), {
      moved() {
        onLook();
        return 0;
      },
    }),
  );
  const { kernel, relay, socket } = await SwitchedWorld.open(stack, defaultBounds, ok, holding);
  await expect.poll(() => kernel.handbacks.get(caller)).toBeDefined();
  onLook = () => void kernel.take(caller, held);
  const ended = readAll(socket);
  await relay.core.handOver(60_000);
  expect(await ended).toBe("");
  expect(errors).toEqual([]);
});
