import * as grpc from "@grpc/grpc-js";
import type { ApiServer } from "@keelson/sources";
import type { Logger } from "pino";
import { ControlPlane } from "../control-plane.ts";
import { ClusterWrites } from "../kubernetes/cluster-writes.ts";
import { type ProgramLog, programLog } from "../logging/program-log.ts";
import { Servers } from "../servers/servers.ts";
import type { DiscoverySettings } from "../settings/discovery-settings.ts";
import { flagGroups } from "../settings/flags/flags.ts";
import { type ReadSettings, readSettings } from "../settings/read-settings.ts";
import { buildText } from "../version.ts";
import { type Command, failure, UsageError } from "./command.ts";
import { type OpenedSource, openSource } from "./config-source.ts";
import { onStopSignal } from "./stop-signal.ts";

/** `discovery`: the control plane. */
export const discoveryCommand: Command = {
  name: "discovery",
  summary: "Starts the control plane.",
  operands: "",
  flagGroups,
  readsItsOwnFlags: true,
  examples: [
    "pilot-discovery discovery",
    "pilot-discovery discovery --kubeconfig ~/.kube/config",
    "pilot-discovery discovery --configDir ./config",
    "pilot-discovery discovery --configDir ./config --grpcAddr 127.0.0.1:15010 --httpAddr 127.0.0.1:8080",
    "pilot-discovery discovery --configDir ./config --log_output_level=default:info,ads:debug --log_as_json",
    "pilot-discovery discovery --configDir ./config --secureGRPCAddr= --httpsAddr= --monitoringPort=0",
  ],
  run: async ({ raw }, { environment }) => {
    const read = readSettings(raw, environment);
    if (read.errors.length > 0) throw new UsageError(read.errors.join("\n"));
    const opened = await openSource(read.settings, environment).catch((error: Error) => {
      throw new UsageError(error.message);
    });
    const log = programLog(read.settings.log);
    report(read, log("default"));
    await start(read.settings, opened, log);
    return undefined;
  },
};

/** Once for all that was given in vain. */
function report({ warnings, withoutEffect }: ReadSettings, logger: Logger): void {
  logger.info({ version: buildText, pid: process.pid }, "pilot-discovery starts");
  for (const warning of warnings) logger.warn(warning);
  if (withoutEffect.length === 0) return;
  logger.info(`accepted, though without meaning here: ${withoutEffect.join(", ")}`);
}

async function start(
  settings: DiscoverySettings,
  { source, mesh, from, apiServer }: OpenedSource,
  log: ProgramLog,
): Promise<void> {
  const { domain, shutdownMs } = settings;
  const logger = log("default");
  // Whatever goes wrong is told by those who use it; its own lines are of another form.
  grpc.setLogVerbosity(grpc.logVerbosity.NONE);
  const controlPlane = new ControlPlane({
    source,
    domain,
    mesh,
    logger: log("config"),
    xdsLogger: log("ads"),
    grpc: settings.grpc,
    push: settings.push,
    identity: settings.identity,
    debug: settings.debug,
  });
  const servers = new Servers(controlPlane, settings, log, apiServer);
  let writes: ClusterWrites | undefined;
  const stop = async (): Promise<void> => {
    controlPlane.readiness.hold("shutdown", "the control plane is being stopped");
    await writes?.close();
    await controlPlane.close(shutdownMs);
    await servers.close();
  };
  const opened = controlPlane.readiness.hold("ports", "the ports of xDS are being opened");
  try {
    await servers.openHttp();
    await controlPlane.start().catch((error: Error) => {
      throw new Error(`cannot read the configuration in ${from}: ${error.message}`, { cause: error });
    });
    await servers.openXds();
    opened();
    if (apiServer !== undefined) writes = startWrites(apiServer, settings, { controlPlane, servers, log });
  } catch (error) {
    logger.fatal((error as Error).message);
    await stop();
    throw error;
  }
  logger.info({ from }, "ready");
  onStopSignal(async (signal) => {
    logger.info({ signal }, "stopping; nodes and proxies go on under the policy they hold");
    await stop();
    return 0;
  }, failure);
}

interface Running {
  readonly controlPlane: ControlPlane;
  readonly servers: Servers;
  readonly log: ProgramLog;
}

function startWrites(
  api: ApiServer,
  { kubernetes, identity, domain }: DiscoverySettings,
  { controlPlane, servers, log }: Running,
): ClusterWrites {
  const writes = new ClusterWrites({
    api,
    settings: kubernetes,
    identity,
    roots: servers.secure,
    configuration: controlPlane,
    domain,
    servesWebhooks: servers.isOpen("--httpsAddr"),
    registry: controlPlane.metrics.registry,
    logger: log("default"),
  });
  writes.start();
  return writes;
}
