import { rm } from "node:fs/promises";
import { join } from "node:path";
import { debugPaths } from "@keelson/model";
import { bookinfoObjects } from "../bookinfo/bookinfo.ts";
import { ConfigFolder } from "../world/config-folder.ts";
import { ControlPlane } from "../world/control-plane.ts";
import { freePort } from "../world/free-port.ts";
import type { DemoOptions } from "./arguments.ts";
import { compactJson } from "./compact-json.ts";
import type { Interruption } from "./interruption.ts";
import { makePlainFolder, recordProcesses } from "./plain-folder.ts";
import { ruleName, ruleText } from "./rule.ts";
import { bold, dim, indent, say } from "./show.ts";

/**
 * The part of the demo that needs no privilege: the control plane on bookinfo's objects and the rule.
 * @param missing what keeps the rest from running, in words
 * @returns the exit code.
 */
export async function runControlPlaneOnly(
  options: DemoOptions,
  missing: readonly string[],
  interrupted: Promise<Interruption>,
): Promise<number> {
  say(`${bold("The kernel's part of the demo cannot run here.")} It needs:\n`);
  for (const reason of missing) say(`   - ${reason}`);
  say("\nSo here is the control plane alone.\n");
  const folder = await makePlainFolder();
  const controlPlane = new ControlPlane({
    configFolder: join(folder, "config"),
    grpcPort: await freePort(options.grpcPort),
    httpPort: await freePort(options.httpPort),
    logFile: join(folder, "control-plane.log"),
  });
  const job = show(controlPlane, folder);
  try {
    const first = await Promise.race([job, interrupted]);
    if (first !== undefined) return first.exitCode;
    if (options.once) return 0;
    tellWhereItIs(controlPlane);
    await interrupted;
    return 0;
  } finally {
    await controlPlane.stop();
    await job.catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  }
}

async function show(controlPlane: ControlPlane, folder: string): Promise<void> {
  const config = await ConfigFolder.create(controlPlane.place.configFolder);
  await config.write("bookinfo", bookinfoObjects("node-1"));
  await config.write(ruleName, ruleText);
  const ready = controlPlane.start();
  await recordProcesses(folder, controlPlane.pid === undefined ? [] : [controlPlane.pid]);
  await ready;
  say(`${bold("The rule")}\n\n${indent(ruleText)}\n`);
  say(`${bold("The policy that nodes would get")} (bookinfo and the rule, compiled)\n`);
  say(compactJson(await controlPlane.get(debugPaths.ir)));
}

function tellWhereItIs({ place, url }: ControlPlane): void {
  say(dim(`\nconfiguration in ${place.configFolder}\nstatus at ${url}${debugPaths.status}\nCtrl-C ends it`));
}
