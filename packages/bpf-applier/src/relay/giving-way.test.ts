import { existsSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { endHolder } from "bpf-maps-native";
import { expect } from "vitest";
import { kernelTest } from "../kernel.test-helper.ts";
import { BuiltinRelay } from "./builtin-relay.ts";
import { left, own, policy } from "./left-relay.test-helper.ts";

kernelTest("a relay that is given up while it starts leaves all to the next one", async () => {
  await using stack = new AsyncDisposableStack();
  const { options: line } = await left(stack, `keelson-giving-way-${process.pid}`);
  const options = { ...line, holder: `${line.line}.held` };
  stack.defer(() => void endHolder(options.holder));
  const first = await BuiltinRelay.start({ ...options, onExit: () => undefined });
  await first.setPolicy(policy(1));
  const ports = await first.addNetwork(own);
  process.kill(first.status().pid ?? 0, "SIGKILL");
  await expect.poll(() => first.status().pid).toBeUndefined();
  rmSync(options.line);

  const second = await BuiltinRelay.start(options);
  await second.loaded;
  await sleep(100);
  expect(existsSync(options.line)).toBe(false);
  await second.giveWay();

  const third = await BuiltinRelay.start(options);
  await third.setPolicy(policy(1));
  await third.giveWay();

  const fourth = await BuiltinRelay.start(options);
  await fourth.setPolicy(policy(1));
  expect(await fourth.addNetwork(own)).toEqual(ports);
  fourth.leave();
});
