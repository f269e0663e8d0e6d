import { mkdir, writeFile } from "node:fs/promises";
import { release } from "node:os";
import { dirname, resolve } from "node:path";
import { startBookinfo, visitor } from "../bookinfo/bookinfo.ts";
import { workspaceFolder } from "../world/workspace.ts";
import type { World } from "../world/world.ts";
import type { DemoOptions } from "./arguments.ts";
import { askForPages, type Counted, complaintsOf, spreadOf } from "./pages.ts";
import { asker, askOnOneConnection, complaintsOfRequests, whoCarried } from "./requests.ts";
import { requestRuleName, requestRuleText, ruleName, ruleText } from "./rule.ts";
import { writeRecord } from "./running-demo.ts";
import { bold, dim, indent, say, spreadTable } from "./show.ts";
import { type TrafficPanel, trafficSvg } from "./traffic-svg.ts";

/** What was sent in one state of the mesh. */
interface Step {
  readonly panel: TrafficPanel;
  /** What was not as it should be, in words. */
  readonly complaints: readonly string[];
}

/**
 * Traffic, a rule, traffic again, a rule for requests, and requests, in a world that is open.
 * @returns what was not as it should be, in words; nothing if all is well.
 */
export async function mainJob(world: World, { requests, picture, sockets }: DemoOptions): Promise<string[]> {
  await bringUp(world, sockets);
  const steps = [await withoutRule(world, requests), await withRule(world, requests)];
  if (sockets !== "off") steps.push(await withRequestRule(world, requests, sockets));
  const file = resolve(picture ?? resolve(workspaceFolder, "out/demo-traffic.svg"));
  await draw(
    file,
    world,
    steps.map(({ panel }) => panel),
  );
  say(`${bold("The picture of it")}, drawn from the kernel's counters: ${file}\n`);
  return steps.flatMap(({ complaints }) => complaints);
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

/** All three versions answer. */
async function withoutRule(world: World, requests: number): Promise<Step> {
  say(`${bold("1  No rule yet.")} The ${visitor} asks for ${requests} pages; who answered for reviews:\n`);
  const result = await pages(world, requests);
  const silent = spreadOf(result).filter(({ answers }) => answers === 0);
  // With 60 pages, a version that is in the draw is left out once in 10^10 runs.
  const unseen = requests < 60 ? [] : silent.map(({ pod }) => `${pod} never answered before the rule`);
  const subtitle = `No rule: ${requests} pages, each connection to reviews goes to one of its pods.`;
  return {
    panel: { title: "Before", subtitle, connections: result.connections },
    complaints: [...complaintsOf(result, requests), ...unseen],
  };
}

/** The first version alone answers. */
async function withRule(world: World, requests: number): Promise<Step> {
  const live = await applyRule(world, "2  A rule", ruleName, ruleText);
  say(`${bold(`3  The same ${requests} pages again.`)}\n`);
  const result = await pages(world, requests);
  const others = spreadOf(result).filter(({ pod, answers }) => pod !== "reviews-v1" && answers > 0);
  const misrouted = others.map(({ pod, answers }) => `${pod} answered ${answers} times after the rule`);
  const subtitle = `RouteRule ${ruleName}: version v1 only. Live ${live} after its file appeared; ${requests} pages.`;
  return {
    panel: { title: "After", subtitle, connections: result.connections },
    complaints: [...complaintsOf(result, requests), ...misrouted],
  };
}

/** Requests of one connection go to two versions. */
async function withRequestRule(
  world: World,
  requests: number,
  sockets: DemoOptions["sockets"],
): Promise<Step> {
  await applyRule(world, "4  A rule that looks at each request", requestRuleName, requestRuleText);
  say(
    `${bold(`5  ${requests} requests on one connection`)} of ${asker} to reviews, every second one to /two:\n`,
  );
  const result = await askOnOneConnection(world.pod(asker), world.applier(), requests);
  say(spreadTable(spreadOf(result)));
  say(`   ${whoCarried(result)}\n`);
  const subtitle = `RouteRule ${requestRuleName}: /two to version v2. ${requests} requests on one connection, ${result.byPrograms.taken} sent by the kernel's programs.`;
  return {
    panel: { title: "Each request", subtitle, connections: result.connections },
    complaints: complaintsOfRequests(result, sockets !== "count"),
  };
}

async function pages(world: World, requests: number): Promise<Counted> {
  const result = await askForPages(world.pod(visitor), world.applier(), requests);
  say(spreadTable(spreadOf(result)));
  return result;
}

/** @returns how long it took from before the file appears to when the control plane knows that the node holds it. */
async function applyRule(world: World, title: string, name: string, text: string): Promise<string> {
  say(`${bold(title)}, written to ${world.config.file(name)}:\n\n${indent(text)}\n`);
  let written = 0;
  const write = async (): Promise<void> => {
    written = performance.now();
    await world.config.write(name, text);
  };
  await world.change(write, { everyMs: 1 });
  const live = `${(performance.now() - written).toFixed(0)} ms`;
  say(`   ${bold(`Live after ${live}`)}: from the file's appearance to the node's ack.\n`);
  return live;
}

async function draw(file: string, world: World, panels: readonly TrafficPanel[]): Promise<void> {
  const svg = trafficSvg({
    title: "bookinfo, before and after its rules",
    panels,
    source: `Connections, and requests of the last rule, as eBPF counted them, read from the maps of node ${world.names.node(1)} on Linux ${release()}.`,
  });
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, svg);
}
