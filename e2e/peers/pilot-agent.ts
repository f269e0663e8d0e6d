import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { freePort } from "../world/free-port.ts";
import { http } from "./http.ts";
import { requirePeer } from "./peer-cache.ts";
import { PeerProcess, type Place, peerRunFolder } from "./peer-process.ts";

export interface PilotAgentOptions {
  /** HOST:PORT of the control plane's TLS port, for xDS and for certificates. */
  readonly discoveryAddress: string;
  /** The name that the control plane's certificate must have. */
  readonly discoveryName: string;
  /** PEM of the authority that signed the control plane's certificate. */
  readonly rootCertificate: string;
  /** A ServiceAccount's token with audience istio-ca. */
  readonly token: string;
  readonly pod: { readonly name: string; readonly namespace: string; readonly serviceAccount: string };
  /** The pod's; 127.0.0.1 if left out. */
  readonly address?: string;
  readonly nodeType?: "sidecar" | "router" | "waypoint";
  /** More of its environment, such as ISTIO_META_…. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly place?: Place;
}

/** pilot-agent with the Envoy that it starts. */
export class PilotAgent {
  readonly process: PeerProcess;
  /** Of its status server: /healthz/ready, /stats/prometheus. */
  readonly statusPort: number;
  /** Of Envoy's admin interface. */
  readonly adminPort: number;

  constructor(process: PeerProcess, statusPort: number, adminPort: number) {
    this.process = process;
    this.statusPort = statusPort;
    this.adminPort = adminPort;
  }

  /** Asks Envoy's admin interface. Only for an agent in the test's own network namespace. */
  admin(path: string): Promise<{ status: number; body: string }> {
    return http({ host: "127.0.0.1", port: this.adminPort, path });
  }

  /**
   * Waits for the certificate and Envoy's first configuration.
   * @throws Error, as at a control plane whose resources its Envoy refuses, and stops it then.
   */
  ready(): Promise<void> {
    const ask = { host: "127.0.0.1", port: this.statusPort, path: "/healthz/ready" };
    return this.process.ready(async () => (await http(ask)).status === 200, { everyMs: 100 });
  }

  stop(): Promise<void> {
    return this.process.stop();
  }
}

/**
 * Starts the agent; it finds all files below its working folder, as it does below / in its container.
 * @throws Error if pilot-agent or Envoy is not set up.
 */
export async function startPilotAgent(options: PilotAgentOptions): Promise<PilotAgent> {
  const agent = await requirePeer("pilot-agent");
  const envoy = await requirePeer("envoy");
  const folder = await peerRunFolder("pilot-agent");
  await writeSecret(join(folder, "var/run/secrets/tokens/istio-token"), options.token);
  await writeSecret(join(folder, "var/run/secrets/istio/root-cert.pem"), options.rootCertificate);
  const [statusPort, adminPort] = [await freePort(), await freePort()];
  const proxyConfig = {
    discoveryAddress: options.discoveryAddress,
    binaryPath: envoy.program,
    configPath: join(folder, "etc/istio/proxy"),
    proxyBootstrapTemplatePath: join(agent.folder, "envoy_bootstrap.json"),
    proxyAdminPort: adminPort,
    statusPort,
    concurrency: 1,
    // It waits as long at its end for connections to close.
    terminationDrainDuration: "0.1s",
  };
  const { pod } = options;
  const process = new PeerProcess(folder, {
    title: "pilot-agent",
    command: [agent.program, "proxy", options.nodeType ?? "sidecar", "--proxyLogLevel=info"],
    environment: {
      PROXY_CONFIG: JSON.stringify(proxyConfig),
      ISTIOD_SAN: options.discoveryName,
      PILOT_CERT_PROVIDER: "istiod",
      INSTANCE_IP: options.address ?? "127.0.0.1",
      POD_NAME: pod.name,
      POD_NAMESPACE: pod.namespace,
      SERVICE_ACCOUNT: pod.serviceAccount,
      ISTIO_META_CLUSTER_ID: "Kubernetes",
      ENVOY_STATUS_PORT: String(await freePort()),
      ENVOY_PROMETHEUS_PORT: String(await freePort()),
      ...options.environment,
    },
    ...(options.place ? { place: options.place } : {}),
  });
  return new PilotAgent(process, statusPort, adminPort);
}

async function writeSecret(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text, { mode: 0o600 });
}
