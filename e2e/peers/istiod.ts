import { freePort } from "../world/free-port.ts";
import { http } from "./http.ts";
import { istioNamespace } from "./istio-objects.ts";
import type { KubeApiserver } from "./kube-apiserver.ts";
import { requirePeer } from "./peer-cache.ts";
import { PeerProcess, peerRunFolder } from "./peer-process.ts";

export interface IstiodOptions {
  /** With namespace and CRDs as prepareForIstio makes them. */
  readonly apiserver: KubeApiserver;
  /**
   * "secure": with its CA and TLS port, where callers need a token or certificate. "plain": only a port in the clear
   * that lets anybody in, for benchmarks of pushing.
   */
  readonly mode: "secure" | "plain";
  /** More of its environment; wins over what the mode sets. */
  readonly environment?: Readonly<Record<string, string>>;
  /** More of its command line. */
  readonly args?: readonly string[];
}

/** Ports of 127.0.0.1. */
export interface IstiodPorts {
  /** xDS in the clear (15010 in a cluster). */
  readonly grpc: number;
  /** xDS and CA with TLS (15012); undefined in plain mode. */
  readonly secureGrpc: number | undefined;
  /** /ready and /debug (8080). */
  readonly http: number;
  /** /metrics and /version (15014). */
  readonly monitoring: number;
}

export class Istiod {
  readonly process: PeerProcess;
  readonly ports: IstiodPorts;

  constructor(process: PeerProcess, ports: IstiodPorts) {
    this.process = process;
    this.ports = ports;
  }

  /** Asks its HTTP port, such as "/debug/syncz". */
  get(path: string): Promise<{ status: number; body: string }> {
    return http({ host: "127.0.0.1", port: this.ports.http, path });
  }

  stop(): Promise<void> {
    return this.process.stop();
  }
}

/** Environment for an istiod that serves Envoys as their own project builds them, without the filters that Istio's has. */
export const forUpstreamEnvoy = {
  PILOT_ENABLE_METADATA_EXCHANGE: "false",
  PILOT_ENABLE_ALPN_FILTER: "false",
} as const;

/** Without CA and without checks of who calls. */
const plainEnvironment = {
  ENABLE_CA_SERVER: "false",
  PILOT_CERT_PROVIDER: "none",
  XDS_AUTH: "false",
} as const;

/** @throws Error if istiod is not set up or does not become ready. */
export async function startIstiod(options: IstiodOptions): Promise<Istiod> {
  const { program } = await requirePeer("istiod");
  const folder = await peerRunFolder("istiod");
  const ports: IstiodPorts = {
    grpc: await freePort(),
    secureGrpc: options.mode === "secure" ? await freePort() : undefined,
    http: await freePort(),
    monitoring: await freePort(),
  };
  const process = new PeerProcess(folder, {
    title: "istiod",
    command: [program, ...commandLine(options.apiserver.kubeconfig, ports), ...(options.args ?? [])],
    environment: {
      POD_NAME: "istiod-test",
      POD_NAMESPACE: istioNamespace,
      SERVICE_ACCOUNT: "istiod",
      CLUSTER_ID: "Kubernetes",
      REVISION: "default",
      ...(options.mode === "plain" ? plainEnvironment : {}),
      ...options.environment,
    },
  });
  const istiod = new Istiod(process, ports);
  await process.ready(async () => (await istiod.get("/ready")).status === 200, { everyMs: 50 });
  return istiod;
}

function commandLine(kubeconfig: string, ports: IstiodPorts): string[] {
  return [
    "discovery",
    `--kubeconfig=${kubeconfig}`,
    `--grpcAddr=127.0.0.1:${ports.grpc}`,
    `--secureGRPCAddr=${ports.secureGrpc === undefined ? "" : `127.0.0.1:${ports.secureGrpc}`}`,
    `--httpAddr=127.0.0.1:${ports.http}`,
    `--monitoringAddr=127.0.0.1:${ports.monitoring}`,
    // No webhooks: the API server would have to reach them by a Service.
    "--httpsAddr=",
    "--ctrlz_port=0",
  ];
}
