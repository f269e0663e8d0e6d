#!/usr/bin/env node
import { access, constants } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { ChannelCredentials } from "@grpc/grpc-js";
import { runFolder } from "@keelson/model/names";
import { observationQuery } from "@keelson/model/observation";
import { endHolder } from "bpf-maps-native";
import { Command, CommanderError, Option } from "commander";
import type { Logger } from "pino";
import { adminPaths } from "./admin.ts";
import { askAgent, openAtAgent } from "./admin-client.ts";
import { Applier } from "./applier.ts";
import type { ApplierOptions } from "./applier-options.ts";
import { controlPlaneCredentials } from "./control-plane-credentials.ts";
import { IdleNode } from "./idle-node.ts";
import { makeLogger } from "./log.ts";
import { MetricsPort } from "./metrics/metrics-port.ts";
import { addObserveOptions, type ObserveFlags, showLines, wantedOf } from "./observe/index.ts";
import { PinLock } from "./pin-lock.ts";
import { PinFolder } from "./pins.ts";
import { uninstall } from "./programs.ts";
import { BuiltinRelay } from "./relay/builtin-relay.ts";
import { EnvoyRelay } from "./relay/envoy/envoy-relay.ts";
import { takesRequests } from "./request-programs.ts";
import { cgroupFolder, NodeUnfit } from "./requirements.ts";
import { describeRun, type RunFlags } from "./run-options.ts";
import { statusText } from "./status-text.ts";
import { Tenure } from "./tenure.ts";
import { programVersion } from "./version.ts";

async function run(flags: RunFlags): Promise<void> {
  const logger = makeLogger(flags.logLevel);
  const credentials = controlPlaneCredentials(flags, (error) =>
    logger.error(`the roots that the control plane's certificate must come from: ${error.message}`),
  );
  const { node, controlPlane, relay, sockets } = flags;
  logger.info({ version: programVersion, node, controlPlane, relay, sockets }, "bpf-applier starts");
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
    start: (held) =>
      startApplier(flags, credentials, logger, held).catch((error: Error) => {
        if (!(error instanceof NodeUnfit)) throw error;
        logger.error({ node, err: error }, "this node is left alone; connections go as they did");
        return idle(error.message, true);
      }),
  });
  let metrics: MetricsPort | undefined;
  const stop = async (signal: string): Promise<void> => {
    logger.info({ signal }, "stopping; programs and maps stay, traffic goes on under the last policy");
    metrics?.close();
    await tenure.end();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      stop(signal).catch(fail);
    });
  }
  await tenure.begin();
  metrics =
    flags.metricsAddress === undefined || tenure.ended
      ? undefined
      : MetricsPort.open({
          address: flags.metricsAddress,
          read: () => tenure.agent.metrics(),
          onError: (error) =>
            logger.error({ err: error }, "counters cannot be served to Prometheus; trying again"),
        });
}

/** @throws NodeUnfit if the node's kernel takes no such programs. */
async function startApplier(
  flags: RunFlags,
  credentials: ChannelCredentials,
  logger: Logger,
  held: DisposableStack,
): Promise<Applier> {
  const cgroup = await cgroupFolder(flags.cgroup);
  held.use(await PinLock.take(flags.node));
  return Applier.start({
    node: flags.node,
    controlPlane: flags.controlPlane,
    credentials,
    cgroup,
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
  await access(envoyPath, constants.X_OK).catch((error: Error) => {
    throw new Error(`--envoy-path=${envoyPath}: no program that can be started: ${error.message}`);
  });
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
  using held = new DisposableStack();
  held.use(await PinLock.take(flags.node));
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

const exitCodes = { failed: 1, usage: 2 } as const;

function fail(error: NodeJS.ErrnoException): void {
  // Commander has said already what is wrong with the command line, or what was asked for.
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : exitCodes.usage);
  const needsRoot = (error.code === "EACCES" || error.code === "EPERM") && process.geteuid?.() !== 0;
  process.stderr.write(`bpf-applier: ${error.message}${needsRoot ? " (only root may do this)" : ""}\n`);
  process.exit(exitCodes.failed);
}

const program = new Command("bpf-applier")
  .description("Loads the policy that the control plane streams into the kernel of this node.")
  .option(
    "--node <name>",
    "name of this node, as in the pods' spec.nodeName",
    process.env["NODE_NAME"] ?? hostname(),
  )
  .version(programVersion)
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, "bpf-applier:")) })
  .showHelpAfterError("bpf-applier --help shows the commands, bpf-applier COMMAND --help how one is used")
  .addHelpText("after", "\nExit codes: 0 done, 1 failed, 2 wrong usage.");

describeRun(program.command("run", { isDefault: true }), run);

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

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough, such as head, closes the pipe: no reason to complain.
  if (error.code === "EPIPE") process.exit();
  fail(error);
});

program.parseAsync().catch(fail);
