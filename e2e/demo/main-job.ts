import { mkdir, writeFile } from "node:fs/promises";
import { release } from "node:os";
import { dirname, resolve } from "node:path";
import { startBookinfo, visitor } from "../bookinfo/bookinfo.ts";
import { workspaceFolder } from "../world/workspace.ts";
import type { World } from "../world/world.ts";
import type { DemoOptions } from "./arguments.ts";
import { askForPages, complaintsOf, type PagesResult, spreadOf } from "./pages.ts";
import { asker, askOnOneConnection, complaintsOfRequests, rowsOf, whoCarried } from "./requests.ts";
import { requestRuleName, requestRuleText, ruleName, ruleText } from "./rule.ts";
import { writeRecord } from "./running-demo.ts";
import { bold, dim, indent, say, spreadTable } from "./show.ts";
import { trafficSvg } from "./traffic-svg.ts";

/**
 * Traffic, a rule, traffic again, a rule for requests, and requests, in a world that is open.
 * @returns what was not as it should be, in words; nothing if all is well.
 */
export async function mainJob(world: World, { requests, picture, sockets }: DemoOptions): Promise<string[]> {
  await bringUp(world, sockets);
  say(`${bold("1  No rule yet.")} The ${visitor} asks for ${requests} pages; who answered for reviews:\n`);
  const before = await pages(world, requests);

  const milliseconds = await applyRule(world, "2  A rule", ruleName, ruleText);

  say(`${bold(`3  The same ${requests} pages again.`)}\n`);
  const after = await pages(world, requests);

  const complaints = sockets === "off" ? [] : await requestsJob(world, requests, sockets);

  const file = resolve(picture ?? resolve(workspaceFolder, "out/demo-traffic.svg"));
  await draw(file, world, { before, after, requests, milliseconds });
  say(`${bold("The picture of it")}, drawn from the kernel's counters: ${file}\n`);
  return [
    ...complaintsOf(before, requests),
    ...complaintsOf(after, requests),
    ...misrouted(before, after, requests),
    ...complaints,
  ];
}

/** A rule that looks at requests, and requests. @returns what was not as it should be, in words. */
async function requestsJob(
  world: World,
  requests: number,
  sockets: DemoOptions["sockets"],
): Promise<string[]> {
  await applyRule(world, "4  A rule that looks at each request", requestRuleName, requestRuleText);
  say(
    `${bold(`5  ${requests} requests on one connection`)} of ${asker} to reviews, every second one to /two:\n`,
  );
  const result = await askOnOneConnection(world.pod(asker), world.applier(), requests);
  say(spreadTable(rowsOf(result)));
  say(`   ${whoCarried(result)}\n`);
  return complaintsOfRequests(result, sockets !== "count");
}

async function bringUp(world: World, sockets: DemoOptions["sockets"]): Promise<void> {
  const objects = await startBookinfo(world);
  await world.config.write("bookinfo", objects);
  await world.startControlPlane();
  const applier = await world.startApplier(1, sockets === "off" ? {} : { relay: "builtin", sockets });
  await world.settled();
  await writeRecord(world);
  const namespaces = [...world.pods.values()].map(({ name }) => name).join(", ");
  say(`   pods           ${namespaces}: each a network namespace and a cgroup`);
  say(
    `   control plane  process ${world.controlPlane.pid}, ${world.controlPlane.url}, xDS on ${world.controlPlane.grpcAddress}`,
  );
  say(`   node           ${applier.node}: bpf-applier, process ${applier.pid}; programs attached to`);
  say(`                  ${dim(applier.place.cgroup)}\n`);
}

async function pages(world: World, requests: number): Promise<PagesResult> {
  const result = await askForPages(world.pod(visitor), world.applier(), requests);
  say(spreadTable(spreadOf(result)));
  return result;
}

/** @returns milliseconds from before the file appears to when the control plane knows that the node holds it. */
async function applyRule(world: World, title: string, name: string, text: string): Promise<number> {
  say(`${bold(title)}, written to ${world.config.file(name)}:\n\n${indent(text)}\n`);
  let written = 0;
  const write = async (): Promise<void> => {
    written = performance.now();
    await world.config.write(name, text);
  };
  await world.change(write, { everyMs: 1 });
  const milliseconds = performance.now() - written;
  say(
    `   ${bold(`Live after ${milliseconds.toFixed(0)} ms`)}: from the file's appearance to the node's ack.\n`,
  );
  return milliseconds;
}

/** Before the rule all three versions answer; after it the first alone. */
function misrouted(before: PagesResult, after: PagesResult, requests: number): string[] {
  const silent = spreadOf(before).filter(({ answers }) => answers === 0);
  // With 60 pages, a version that is in the draw is left out once in 10^10 runs.
  const unseen = requests < 60 ? [] : silent.map(({ pod }) => `${pod} never answered before the rule`);
  const others = spreadOf(after).filter(({ pod, answers }) => pod !== "reviews-v1" && answers > 0);
  return [...unseen, ...others.map(({ pod, answers }) => `${pod} answered ${answers} times after the rule`)];
}

async function draw(
  file: string,
  world: World,
  run: { before: PagesResult; after: PagesResult; requests: number; milliseconds: number },
): Promise<void> {
  const svg = trafficSvg({
    title: "bookinfo, before and after one rule",
    panels: [
      {
        title: "Before",
        subtitle: `No rule: ${run.requests} pages, each connection to reviews goes to one of its pods.`,
        connections: run.before.connections,
      },
      {
        title: "After",
        subtitle: `RouteRule ${ruleName}: version v1 only. Live ${run.milliseconds.toFixed(0)} ms after its file appeared; ${run.requests} pages.`,
        connections: run.after.connections,
      },
    ],
    source: `Connections as eBPF counted them, read from the maps of node ${world.names.node(1)} on Linux ${release()}.`,
  });
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, svg);
}
