#!/usr/bin/env node
import { defaultDomain } from "@keelson/model/names";
import { DirectorySource } from "@keelson/sources";
import { Command, InvalidArgumentError } from "commander";
import { type Logger, pino } from "pino";
import { ControlPlane } from "./control-plane.ts";
import { httpServer } from "./http-server.ts";
import { formatHostPort, type ListenAddress, parseListenAddress } from "./listen-address.ts";
import { programVersion } from "./version.ts";

interface DiscoveryFlags {
  configDir: string;
  grpcAddr: ListenAddress;
  httpAddr: ListenAddress;
  domain: string;
  shutdownDuration: number;
  logLevel: string;
}

function address(text: string): ListenAddress {
  try {
    return parseListenAddress(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function seconds(text: string): number {
  const match = /^(\d+(?:\.\d+)?)s?$/.exec(text);
  if (match === null) throw new InvalidArgumentError('expected seconds, such as "10s"');
  return Number(match[1]);
}

async function discovery(flags: DiscoveryFlags): Promise<void> {
  const logger = pino({ name: "pilot-discovery", level: flags.logLevel });
  const controlPlane = new ControlPlane({
    source: new DirectorySource(flags.configDir),
    domain: flags.domain,
    logger,
  });
  const http = httpServer(controlPlane);
  await listenHttp(http, flags.httpAddr, controlPlane, logger);
  await controlPlane.start().catch((error: Error) => {
    throw new Error(`cannot read the configuration in ${flags.configDir}: ${error.message}`, {
      cause: error,
    });
  });
  const port = await controlPlane.listen(flags.grpcAddr);
  logger.info({ xds: formatHostPort({ ...flags.grpcAddr, port }), configDir: flags.configDir }, "ready");
  const stop = async (signal: string): Promise<void> => {
    logger.info({ signal }, "stopping; nodes go on under the policy they hold");
    await Promise.all([controlPlane.close(flags.shutdownDuration * 1000), http.close()]);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      stop(signal).then(() => process.exit(0), fail);
    });
  }
}

/** Nodes can do without this port, so it is no reason not to serve them. */
async function listenHttp(
  http: ReturnType<typeof httpServer>,
  { host, port }: ListenAddress,
  controlPlane: ControlPlane,
  logger: Logger,
): Promise<void> {
  try {
    const url = await http.listen({ host, port });
    logger.info({ http: url }, "serving /ready, /metrics and /debug");
  } catch (error) {
    controlPlane.readiness.hold(
      "http",
      `cannot listen on ${formatHostPort({ host, port })}: ${String(error)}`,
    );
    logger.error(
      { err: error },
      `cannot listen on ${formatHostPort({ host, port })}; choose another with --httpAddr`,
    );
  }
}

function fail(error: Error): void {
  process.stderr.write(`pilot-discovery: ${error.message}\n`);
  process.exit(1);
}

const program = new Command("pilot-discovery")
  .description(
    "Keelson's control plane: reads services and rules, and streams what follows from them to nodes.",
  )
  .version(programVersion)
  .showHelpAfterError();

program
  .command("discovery")
  .description("start the control plane")
  .requiredOption("--configDir <directory>", "watch the YAML files in this directory")
  .option("--grpcAddr <host:port>", "serve xDS here", address, parseListenAddress(":15010"))
  .option(
    "--httpAddr <host:port>",
    "serve /ready, /metrics and /debug here",
    address,
    parseListenAddress(":8080"),
  )
  .option("--domain <suffix>", "suffix of Kubernetes' service names", defaultDomain)
  .option("--shutdownDuration <seconds>", "wait this long for streams to end", seconds, 10)
  .option("--logLevel <level>", "trace, debug, info, warn, error or fatal", "info")
  .addHelpText(
    "after",
    `
Examples:
  pilot-discovery discovery --configDir ./config
  pilot-discovery discovery --configDir ./config --grpcAddr 127.0.0.1:15010 --httpAddr 127.0.0.1:8080`,
  )
  .action((flags: DiscoveryFlags) => discovery(flags));

program
  .command("version")
  .description("print the version")
  .action(() => {
    process.stdout.write(`${programVersion}\n`);
  });

program.parseAsync().catch(fail);
