import { expect } from "vitest";
import { kernelTest } from "./kernel.test-helper.ts";
import { makeCgroups } from "./node-check/strangers.test-helper.ts";
import { cgroup2Mount, PinFolder } from "./pins.ts";
import { cgroupAt } from "./pods/pod-tree.ts";
import { Programs, uninstall } from "./programs.ts";

kernelTest("an agent sees that its pins were replaced, or removed", async () => {
  using cgroups = makeCgroups(await cgroup2Mount());
  const root = cgroupAt(cgroups.inner);
  if (root === undefined) throw new Error(`${cgroups.inner} is gone`);
  const pins = await PinFolder.create(`keelson-programs-${process.pid}`);
  const agent = await Programs.load(pins);
  const other = await Programs.load(pins);
  try {
    expect(agent.areInPlace(pins)).toBe(true);
    await agent.attach(pins, [root]);
    expect(agent.areInPlace(pins)).toBe(true);
    await other.attach(pins, [root]);
    expect([agent.areInPlace(pins), other.areInPlace(pins)]).toEqual([false, true]);
    await agent.attach(pins, [root]);
    expect([agent.areInPlace(pins), other.areInPlace(pins)]).toEqual([true, false]);
    await uninstall(pins);
    expect([agent.areInPlace(pins), other.areInPlace(pins)]).toEqual([false, false]);
    await agent.attach(pins, []);
    expect(agent.areInPlace(pins)).toBe(true);
  } finally {
    agent.close();
    other.close();
    await uninstall(pins);
  }
});
