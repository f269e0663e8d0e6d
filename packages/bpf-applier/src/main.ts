#!/usr/bin/env node
import { hostname } from "node:os";
import { join } from "node:path";
import type { ChannelCredentials } from "@grpc/grpc-js";
import { runFolder, stateFolder } from "@keelson/model/names";
import { observationQuery } from "@keelson/model/observation";
import { endHolder } from "bpf-maps-native";
import { Command, InvalidArgumentError, Option } from "commander";
import { type Logger, pino } from "pino";
import { adminPaths } from "./admin.ts";
import { askAgent, openAtAgent } from "./admin-client.ts";
import { Applier, type ApplierOptions } from "./applier.ts";
import { type ControlPlaneFlags, controlPlaneCredentials } from "./control-plane-credentials.ts";
import { IdleNode } from "./idle-node.ts";
import { MetricsPort, parseAddress } from "./metrics/metrics-port.ts";
import { addObserveOptions, type ObserveFlags, showLines, wantedOf } from "./observe/index.ts";
import { PinFolder } from "./pins.ts";
import { uninstall } from "./programs.ts";
import { BuiltinRelay } from "./relay/builtin-relay.ts";
import { EnvoyRelay } from "./relay/envoy/envoy-relay.ts";
import { type SocketMode, socketModes, takesRequests } from "./request-programs.ts";
import { cgroupFolder, NodeUnfit } from "./requirements.ts";
import { statusText } from "./status-text.ts";
import { Tenure } from "./tenure.ts";

interface RunFlags extends ControlPlaneFlags {
  node: string;
  cgroup?: string;
  excludeNamespace: string[];
  stateDir: string;
  runDir: string;
  reportInterval: number;
  metricsAddress?: string;
  relay: "builtin" | "envoy" | "none";
  envoyPath?: string;
  relayStays?: boolean;
  takeOver?: boolean;
  sockets: SocketMode;
  logLevel: string;
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value >= 0.1 && value <= 3600)) throw new InvalidArgumentError("expected seconds, 0.1 to 3600");
  return value;
}

function addressText(text: string): string {
  try {
    parseAddress(text);
    return text;
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

async function run(flags: RunFlags): Promise<void> {
  const logger = pino({ name: "bpf-applier", level: flags.logLevel });
  const credentials = controlPlaneCredentials(flags, (error) =>
    logger.error(`the roots that the control plane's certificate must come from: ${error.message}`),
  );
  const { node, controlPlane } = flags;
  const idle = (idleBecause: string, tellControlPlane: boolean): IdleNode =>
    new IdleNode({
      node,
      controlPlane: tellControlPlane ? controlPlane : undefined,
      credentials,
      idleBecause,
      logger,
    });
  const tenure = new Tenure({
    node,
    socket: adminSocketOf(flags),
    takeOver: flags.takeOver ?? false,
    idle: (why) => idle(why, false),
    logger,
    start: () =>
      startApplier(flags, credentials, logger).catch((error: Error) => {
        if (!(error instanceof NodeUnfit)) throw error;
        logger.error({ node, err: error }, "this node is left alone; connections go as they did");
        return idle(error.message, true);
      }),
  });
  await tenure.begin();
  const metrics =
    flags.metricsAddress === undefined
      ? undefined
      : await MetricsPort.listen(flags.metricsAddress, () => tenure.agent.metrics());
  const stop = async (signal: string): Promise<void> => {
    logger.info({ signal }, "stopping; programs and maps stay, traffic goes on under the last policy");
    metrics?.close();
    await tenure.end();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      stop(signal).catch(fail);
    });
  }
}

/** @throws NodeUnfit if the node's kernel takes no such programs. */
async function startApplier(
  flags: RunFlags,
  credentials: ChannelCredentials,
  logger: Logger,
): Promise<Applier> {
  return Applier.start({
    node: flags.node,
    controlPlane: flags.controlPlane,
    credentials,
    cgroup: await cgroupFolder(flags.cgroup),
    excludedNamespaces: flags.excludeNamespace,
    stateFolder: flags.stateDir,
    reportIntervalMs: flags.reportInterval * 1000,
    ...(await relayOf(flags)),
    sockets: flags.sockets,
    logger,
  });
}

/** @throws Error if the relay is an Envoy, and none is named, or something is asked for that it cannot do */
async function relayOf(
  flags: RunFlags,
): Promise<Pick<ApplierOptions, "relay" | "relayListenersLast" | "relayStays">> {
  const { node, relay, envoyPath, runDir, sockets, relayStays = false } = flags;
  if (relay !== "builtin") await BuiltinRelay.endEarlier(lineSocketOf(flags));
  if (relay === "none") return {};
  const pins = await PinFolder.find(node);
  const origins = pins.map("origins");
  if (relay === "builtin") {
    const [holder, line] = [holderSocketOf(flags), lineSocketOf(flags)];
    return {
      relay: (start) => BuiltinRelay.start({ origins, holder, line, ...start }),
      relayListenersLast: true,
      relayStays,
    };
  }
  if (envoyPath === undefined)
    throw new Error("--relay=envoy: name the program with --envoy-path: an Envoy, 1.37 or newer");
  if (takesRequests(sockets))
    throw new Error(
      `--sockets=${sockets}: only the relay that comes with the agent can do that (--relay=builtin)`,
    );
  const folder = join(runDir, `${node}.envoy`);
  const options = { program: envoyPath, folder, pins: { relays: pins.map("relays"), origins } };
  return { relay: ({ onExit }) => EnvoyRelay.start({ ...options, onExit }) };
}

const adminSocketOf = ({ node, runDir }: { node: string; runDir: string }): string =>
  join(runDir, `${node}.sock`);

const holderSocketOf = ({ node, runDir }: { node: string; runDir: string }): string =>
  join(runDir, `${node}.held`);

const lineSocketOf = ({ node, runDir }: { node: string; runDir: string }): string =>
  join(runDir, `${node}.relay`);

/** A running agent lets go of the node itself: it would attach its programs again. */
async function uninstallHere(flags: { node: string; runDir: string }): Promise<void> {
  const answer = await askAgent(adminSocketOf(flags), adminPaths.uninstall, "POST");
  const detached = (answer as { detached: number } | undefined)?.detached ?? 0;
  const left = await uninstall(await PinFolder.find(flags.node));
  await BuiltinRelay.endEarlier(lineSocketOf(flags));
  endHolder(holderSocketOf(flags));
  process.stdout.write(`${flags.node}: ${detached + left} programs detached, pins removed\n`);
}

async function showStatus(flags: { node: string; runDir: string; output: "text" | "json" }): Promise<void> {
  const socket = adminSocketOf(flags);
  const status = await askAgent(socket, adminPaths.status);
  if (status === undefined) throw new Error(`no bpf-applier of node ${flags.node} runs here (${socket})`);
  process.stdout.write(
    flags.output === "json"
      ? `${JSON.stringify(status, null, 2)}\n`
      : statusText(status as Parameters<typeof statusText>[0]),
  );
}

async function observeHere(flags: { node: string; runDir: string } & ObserveFlags): Promise<void> {
  const socket = adminSocketOf(flags);
  const lines = await openAtAgent(
    socket,
    `${adminPaths.observe}?${observationQuery(wantedOf(flags)).toString()}`,
  );
  if (lines === undefined) throw new Error(`no bpf-applier of node ${flags.node} runs here (${socket})`);
  const output = {
    write: (text: string) => process.stdout.write(text),
    warn: (text: string) => process.stderr.write(`bpf-applier: ${text}`),
  };
  if (!(await showLines(lines, flags, output, false))) process.exitCode = 1;
}

function fail(error: Error): void {
  process.stderr.write(`bpf-applier: ${error.message}\n`);
  process.exit(1);
}

const program = new Command("bpf-applier")
  .description("Loads the policy that the control plane streams into the kernel of this node.")
  .option(
    "--node <name>",
    "name of this node, as in the pods' spec.nodeName",
    process.env["NODE_NAME"] ?? hostname(),
  )
  .showHelpAfterError();

program
  .command("run", { isDefault: true })
  .description("follow the control plane until stopped")
  .option("--control-plane <host:port>", "the control plane's xDS port", "127.0.0.1:15010")
  .option("--tls", "speak with it over TLS (default: only if one of the next three options is given)")
  .option(
    "--ca-file <path>",
    "its certificate must come from a root in this PEM file (default: the system's)",
  )
  .option("--token-file <path>", "show it this service account token, which must be bound to the node")
  .option("--server-name <name>", "its certificate must have this name (default: its host)")
  .option("--insecure", "speak with it in plain text although it is on another machine")
  .option(
    "--cgroup <path>",
    "look for the kubelet's pods below this cgroup v2 folder (default: where cgroup v2 is mounted)",
  )
  .option(
    "--exclude-namespace <name>",
    "leave pods of this Kubernetes namespace alone; may be given several times",
    (name: string, others: string[]) => [...others, name],
    [],
  )
  .option("--state-dir <path>", "keep the last good policy here", stateFolder())
  .option("--run-dir <path>", "put the admin socket here", runFolder())
  .addOption(
    new Option(
      "--sockets <mode>",
      "what is done with the sockets of callers of HTTP ports; count: their requests are counted; switch: these are taken off the way to the relay, too; queue: and what stays on the node, and answers, go past TCP, which nobody reads by splice(2)",
    )
      .choices(socketModes)
      .default("off"),
  )
  .option("--report-interval <seconds>", "time between two reports of counters", seconds, 5)
  .option(
    "--metrics-address <host:port>",
    "serve counters to Prometheus here, at /metrics (default: nowhere; :15020 is on all addresses)",
    addressText,
  )
  .addOption(
    new Option(
      "--relay <which>",
      "what decides each request, where rules ask for that; none: every connection is decided once",
    )
      .choices(["builtin", "envoy", "none"])
      .default("builtin"),
  )
  .option("--envoy-path <path>", "the Envoy of --relay=envoy, 1.37 or newer")
  .option(
    "--relay-stays",
    "when the agent is stopped, its relay goes on for up to 30 s, so that the next agent has it with all connections; where what a program leaves behind is ended with it, as in a container, connections would be cut instead of ended in order",
  )
  .option(
    "--take-over",
    "if another agent serves this node, ask it to give the node up, with its relay's connections; it stands by from then on, until it is stopped or this one is gone",
  )
  .option("--log-level <level>", "trace, debug, info, warn, error or fatal", "info")
  .addHelpText(
    "after",
    `
Examples:
  bpf-applier status
  bpf-applier --node node-1 run --control-plane istiod.istio-system.svc:15012 \\
    --ca-file /var/run/secrets/istio/root-cert.pem --token-file /var/run/secrets/tokens/istio-token
  curl --unix-socket ${join(runFolder(), "node-1.sock")} http://applier/status`,
  )
  .action((_: unknown, command: Command) => run(command.optsWithGlobals<RunFlags>()));

const runDirOption = ["--run-dir <path>", "where the agent's admin socket is", runFolder()] as const;

program
  .command("status")
  .description("show what the agent that runs on this node does, and for which pods")
  .option(...runDirOption)
  .addOption(new Option("-o, --output <format>", "how").choices(["text", "json"]).default("text"))
  .action((_: unknown, command: Command) => showStatus(command.optsWithGlobals()));

addObserveOptions(
  program
    .command("observe")
    .description("show single requests of this node's callers as they happen")
    .option(...runDirOption),
)
  .addHelpText(
    "after",
    `
Nobody waits for a reader: what comes faster than it is read is lost, and said so.

Examples:
  bpf-applier observe -f
  bpf-applier observe --to reviews --status 5xx -o wide -f
  bpf-applier observe --sample 1/100 --for 60 -o json`,
  )
  .action((_: unknown, command: Command) => observeHere(command.optsWithGlobals()));

program
  .command("uninstall")
  .description("take all programs off their hooks and remove all pins of this node")
  .option(...runDirOption)
  .addHelpText(
    "after",
    "\nAn agent that runs goes on without doing anything; a new start of it installs all again.",
  )
  .action((_: unknown, command: Command) => uninstallHere(command.optsWithGlobals()));

program.parseAsync().catch(fail);
