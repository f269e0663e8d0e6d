// What one can do with a demo that runs, from another terminal.
import { spawn } from "node:child_process";
import { visitor } from "../bookinfo/bookinfo.ts";
import { searchPath } from "../world/command.ts";
import { commandInside } from "../world/running-process.ts";
import { total } from "../world/tally.ts";
import { askForPages, complaintsOf, spreadOf } from "./pages.ts";
import { RunningDemo } from "./running-demo.ts";
import { say, spreadTable } from "./show.ts";

/** Asks a running demo for more pages and shows who answered. @returns the exit code. */
export async function send(world: string, requests: number): Promise<number> {
  const demo = await RunningDemo.find(world);
  const result = await askForPages(demo.pod(visitor), demo.applier, requests);
  say(spreadTable(spreadOf(result)));
  const complaints = complaintsOf(result, requests);
  for (const complaint of complaints) say(`   ${complaint}`);
  return complaints.length === 0 && total(result.traffic.answers) === requests ? 0 : 1;
}

/** Runs a command in a pod, with this terminal. @returns its exit code, or 1 if a signal ended it. */
export async function execInPod(
  world: string,
  name: string,
  command: readonly [string, ...string[]],
): Promise<number> {
  const { place } = (await RunningDemo.find(world)).pod(name);
  const [file, ...args] = commandInside({ command, cgroup: place.cgroup, namespace: place.namespace });
  const child = spawn(file, args, { stdio: "inherit", env: { ...process.env, PATH: searchPath } });
  // Ctrl-C is the command's to handle.
  process.on("SIGINT", () => undefined);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}
