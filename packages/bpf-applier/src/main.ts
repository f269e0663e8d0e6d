#!/usr/bin/env node
import { hostname } from "node:os";
import { join } from "node:path";
import { runFolder, stateFolder } from "@keelson/model/names";
import { Command, InvalidArgumentError } from "commander";
import { pino } from "pino";
import { AdminSocket } from "./admin.ts";
import { Applier } from "./applier.ts";
import { type ControlPlaneFlags, controlPlaneCredentials } from "./control-plane-credentials.ts";
import { cgroup2Mount, PinFolder } from "./pins.ts";
import { uninstall } from "./programs.ts";

interface RunFlags extends ControlPlaneFlags {
  node: string;
  cgroup?: string;
  stateDir: string;
  runDir: string;
  reportInterval: number;
  logLevel: string;
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value >= 0.1 && value <= 3600)) throw new InvalidArgumentError("expected seconds, 0.1 to 3600");
  return value;
}

async function run(flags: RunFlags): Promise<void> {
  const logger = pino({ name: "bpf-applier", level: flags.logLevel });
  const credentials = controlPlaneCredentials(flags, (error) =>
    logger.error(`the roots that the control plane's certificate must come from: ${error.message}`),
  );
  const admin = await AdminSocket.claim(join(flags.runDir, `${flags.node}.sock`));
  const applier = await Applier.start({
    node: flags.node,
    controlPlane: flags.controlPlane,
    credentials,
    cgroup: flags.cgroup ?? (await cgroup2Mount()),
    stateFolder: flags.stateDir,
    reportIntervalMs: flags.reportInterval * 1000,
    logger,
  });
  admin.serve(applier);
  logger.info(
    { node: flags.node, cgroup: applier.status().cgroup, admin: admin.path },
    "programs are attached",
  );
  const stop = async (signal: string): Promise<void> => {
    logger.info({ signal }, "stopping; programs and maps stay, traffic goes on under the last policy");
    admin.close();
    await applier.close();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      stop(signal).catch(fail);
    });
  }
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
  .option("--cgroup <path>", "serve callers below this cgroup v2 folder (default: all)")
  .option("--state-dir <path>", "keep the last good policy here", stateFolder())
  .option("--run-dir <path>", "put the admin socket here", runFolder())
  .option("--report-interval <seconds>", "time between two reports of counters", seconds, 5)
  .option("--log-level <level>", "trace, debug, info, warn, error or fatal", "info")
  .addHelpText(
    "after",
    `
Examples:
  bpf-applier --node node-1 run --control-plane istiod.istio-system.svc:15012 \\
    --ca-file /var/run/secrets/istio/root-cert.pem --token-file /var/run/secrets/tokens/istio-token
  curl --unix-socket ${join(runFolder(), "node-1.sock")} http://applier/status`,
  )
  .action((_: unknown, command: Command) => run(command.optsWithGlobals<RunFlags>()));

program
  .command("uninstall")
  .description("take all programs off their hooks and remove all pins of this node")
  .action(async (_: unknown, command: Command) => {
    const { node } = command.optsWithGlobals<{ node: string }>();
    const links = await uninstall(await PinFolder.find(node));
    process.stdout.write(`${node}: ${links} programs detached, pins removed\n`);
  });

program.parseAsync().catch(fail);
