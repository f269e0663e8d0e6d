import { join } from "node:path";
import { ConfigFolder } from "../world/config-folder.ts";
import { freePort } from "../world/free-port.ts";
import type { KubernetesObject } from "../world/objects.ts";
import { controlPlaneProgram } from "../world/workspace.ts";
import { http } from "./http.ts";
import { istioNamespace } from "./istio-objects.ts";
import type { IstiodPorts } from "./istiod.ts";
import { PeerProcess, peerRunFolder } from "./peer-process.ts";

export interface PilotDiscoveryOptions {
  /**
   * What it watches: objects, which are written to a folder of its own, or a folder that is there; without either, no
   * files.
   */
  readonly objects?: readonly KubernetesObject[] | ConfigFolder;
  /** Of its own, as in a pod's specification. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Arguments of Node, before the program. */
  readonly nodeArguments?: readonly string[];
  /** How long it may take to be ready, in ms; as `until` if left out. */
  readonly readyWithinMs?: number;
  /** Of 127.0.0.1; any that is free if left out. */
  readonly ports?: Pick<PilotPorts, "grpc" | "http">;
}

export type PilotPorts = IstiodPorts & { readonly secureGrpc: number };

/** Keelson's control plane where an istiod would stand: by the same variables, flags and ports. */
export class PilotDiscovery {
  readonly process: PeerProcess;
  readonly ports: PilotPorts;
  readonly config: ConfigFolder;

  constructor(process: PeerProcess, ports: PilotPorts, config: ConfigFolder) {
    this.process = process;
    this.ports = ports;
    this.config = config;
  }

  /** Asks its HTTP port, such as "/debug/syncz". */
  get(path: string): Promise<{ status: number; body: string }> {
    return http({ host: "127.0.0.1", port: this.ports.http, path });
  }

  stop(): Promise<void> {
    return this.process.stop();
  }
}

/** @throws Error if it does not become ready. */
export async function startPilotDiscovery(options: PilotDiscoveryOptions): Promise<PilotDiscovery> {
  const folder = await peerRunFolder("pilot-discovery");
  const config = await configFolder(folder, options.objects);
  const ports = {
    grpc: await freePort(options.ports?.grpc),
    secureGrpc: await freePort(),
    http: await freePort(options.ports?.http),
    monitoring: await freePort(),
  };
  const running = new PeerProcess(folder, {
    title: "pilot-discovery",
    command: [
      process.execPath,
      ...(options.nodeArguments ?? []),
      controlPlaneProgram,
      ...commandLine(ports),
      ...(options.objects === undefined ? [] : [`--configDir=${config.path}`]),
      ...(options.args ?? []),
    ],
    environment: {
      POD_NAME: "istiod-test",
      POD_NAMESPACE: istioNamespace,
      KEELSON_STATE_DIR: join(folder, "state"),
      ...options.environment,
    },
  });
  const started = new PilotDiscovery(running, ports, config);
  const { readyWithinMs: timeoutMs } = options;
  await running.ready(async () => (await started.get("/ready")).status === 200, {
    everyMs: 50,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  return started;
}

async function configFolder(
  folder: string,
  objects: PilotDiscoveryOptions["objects"] = [],
): Promise<ConfigFolder> {
  if (objects instanceof ConfigFolder) return objects;
  const config = await ConfigFolder.create(join(folder, "config"));
  await config.write("objects", objects);
  return config;
}

function commandLine(ports: PilotDiscovery["ports"]): string[] {
  return [
    "discovery",
    `--grpcAddr=127.0.0.1:${ports.grpc}`,
    `--secureGRPCAddr=127.0.0.1:${ports.secureGrpc}`,
    `--httpAddr=127.0.0.1:${ports.http}`,
    `--monitoringAddr=127.0.0.1:${ports.monitoring}`,
    "--monitoringPort=0",
    "--httpsAddr=",
  ];
}
