import { join } from "node:path";
import { suggest } from "@keelson/model";
import { runFolder, stateFolder } from "@keelson/model/names";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { ControlPlaneFlags } from "./control-plane-credentials.ts";
import { type LogLevel, logLevels } from "./log.ts";
import { parseAddress } from "./metrics/metrics-port.ts";
import { type SocketMode, socketModes } from "./request-programs.ts";

/** What `bpf-applier run` is told on its command line, with the option of all commands. */
export interface RunFlags extends ControlPlaneFlags {
  node: string;
  cgroup?: string;
  excludeNamespace: string[];
  stateDir: string;
  runDir: string;
  /** Seconds. */
  reportInterval: number;
  metricsAddress?: string;
  relay: "builtin" | "envoy" | "none";
  envoyPath?: string;
  relayStays?: boolean;
  takeOver?: boolean;
  sockets: SocketMode;
  logLevel: LogLevel;
}

/** Makes of a command the one that is meant when none is named. */
export function describeRun(command: Command, run: (flags: RunFlags) => Promise<void>): void {
  command
    .description("follow the control plane until stopped")
    .allowExcessArguments()
    .option("--control-plane <host:port>", "the control plane's xDS port", targetText, "127.0.0.1:15010")
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
    .addOption(
      new Option("--log-level <level>", "what is logged: this and worse").choices(logLevels).default("info"),
    )
    .addHelpText(
      "after",
      `
Examples:
  bpf-applier status
  bpf-applier --node node-1 run --control-plane istiod.istio-system.svc:15012 \\
    --ca-file /var/run/secrets/istio/root-cert.pem --token-file /var/run/secrets/tokens/istio-token
  curl --unix-socket ${join(runFolder(), "node-1.sock")} http://applier/status`,
    )
    .action(() => {
      const [unknown] = command.args;
      // What is no command's name is taken for an argument of this one.
      if (unknown !== undefined)
        command.error(`error: there is no command "${unknown}"${meant(command, unknown)}`);
      return run(command.optsWithGlobals<RunFlags>());
    });
}

function meant(command: Command, unknown: string): string {
  const names = command.parent?.commands.map((other) => other.name()) ?? [];
  const near = suggest(unknown, names);
  return near === undefined ? "" : `; did you mean ${near}?`;
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value >= 0.1 && value <= 3600)) throw new InvalidArgumentError("expected seconds, 0.1 to 3600");
  return value;
}

/** Or any other target that gRPC takes; without a port it would take 443, where no control plane is. */
function targetText(text: string): string {
  if (/^unix(-abstract)?:/.test(text)) return text;
  addressText(text);
  if (/^:|:0+$/.test(text)) throw new InvalidArgumentError(`"${text}": expected HOST:PORT`);
  return text;
}

function addressText(text: string): string {
  try {
    parseAddress(text);
    return text;
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
