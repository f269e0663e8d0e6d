import { join } from "node:path";
import { prepareForIstio } from "../../peers/istio-objects.ts";
import { startIstiod } from "../../peers/istiod.ts";
import type { KubeApiserver } from "../../peers/kube-apiserver.ts";
import { peerRunFolder } from "../../peers/peer-process.ts";
import { type PilotDiscoveryOptions, startPilotDiscovery } from "../../peers/pilot-discovery.ts";
import { ConfigFolder } from "../../world/config-folder.ts";
import { type MeshSize, MeshState, namespaceName, namespacesOf } from "./mesh.ts";

/** A control plane that runs and has a mesh. */
export interface Subject {
  /** Of xDS in the clear, on 127.0.0.1. */
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** A mesh where a control plane reads it; it outlives control planes. */
export interface Ground {
  /** @param environment of the control plane */
  start(environment: Readonly<Record<string, string>>): Promise<Subject>;
  /** Changes one endpoint's address. */
  change(service: number, change: number): Promise<void>;
}

/** Ten thousand files take a while on a busy machine. */
const readyWithinMs = 600_000;

const eachOf = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** A file for each service and each Sidecar, for Keelson. */
export async function filesGround(size: MeshSize): Promise<Ground> {
  const mesh = new MeshState(size);
  const folder = await ConfigFolder.create(join(await peerRunFolder("push-mesh"), "config"));
  for (const namespace of eachOf(namespacesOf(size)))
    await folder.write(`sidecar-${namespace}`, [mesh.sidecar(namespace)]);
  const write = (service: number): Promise<void> =>
    folder.write(`service-${service}`, [mesh.serviceEntry(service)]);
  for (const service of eachOf(size.services)) await write(service);
  return {
    start: (environment) => startKeelson({ objects: folder, environment }),
    change: (service, change) => {
      mesh.change(service, change);
      return write(service);
    },
  };
}

async function startKeelson(options: PilotDiscoveryOptions): Promise<Subject> {
  const { ports, process } = await startPilotDiscovery({ ...options, readyWithinMs });
  return { port: ports.grpc, pid: process.process.pid ?? 0, stop: () => process.stop() };
}

const path = (namespace: unknown, plural: string): string =>
  `/apis/networking.istio.io/v1/namespaces/${String(namespace)}/${plural}`;

/** One mesh in one real Kubernetes API server, for both. */
export async function sharedGround(
  apiserver: KubeApiserver,
  size: MeshSize,
): Promise<{ keelson: Ground; istiod: Ground }> {
  await prepareForIstio(apiserver);
  const mesh = new MeshState(size);
  for (const namespace of eachOf(namespacesOf(size))) {
    const name = namespaceName(namespace);
    await apiserver.call("POST", "/api/v1/namespaces", { metadata: { name } });
    await apiserver.call("POST", path(name, "sidecars"), mesh.sidecar(namespace));
  }
  for (const service of eachOf(size.services)) {
    const object = mesh.serviceEntry(service);
    await apiserver.call("POST", path(object.metadata.namespace, "serviceentries"), object);
  }
  const change: Ground["change"] = (service, number) => {
    mesh.change(service, number);
    const { metadata, spec } = mesh.serviceEntry(service);
    const one = `${path(metadata.namespace, "serviceentries")}/${metadata.name}`;
    const { endpoints } = spec;
    return apiserver.call("PATCH", one, { spec: { endpoints } }, "application/merge-patch+json");
  };
  return {
    keelson: {
      start: (environment) => startKeelson({ args: [`--kubeconfig=${apiserver.kubeconfig}`], environment }),
      change,
    },
    istiod: {
      start: async (environment) => {
        const { ports, process } = await startIstiod({ apiserver, mode: "plain", environment });
        return { port: ports.grpc, pid: process.process.pid ?? 0, stop: () => process.stop() };
      },
      change,
    },
  };
}
