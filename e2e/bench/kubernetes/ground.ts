import { forEach } from "../../kubernetes/for-each.ts";
import { KubeClient } from "../../kubernetes/kube-client.ts";
import { node, paths, pod, podStatus, service, slice } from "../../kubernetes/objects.ts";
import { prepareForIstio } from "../../peers/istio-objects.ts";
import { type KubeApiserver, startKubeApiserver } from "../../peers/kube-apiserver.ts";

import { copyOf, type StoredObject, stored } from "./copies.ts";

/** Services that look alike, each with as many pods, of three versions, on nodes of three zones. */
export interface ClusterSize {
  readonly services: number;
  readonly podsPerService: number;
}

export const serviceName = (index: number): string => `service-${index}`;

const originalName = "original";

interface Originals {
  readonly pod: StoredObject;
  readonly slice: StoredObject;
}

/** Three times what a kubelet takes without being told otherwise: a cluster of few and large nodes. */
const podsPerNode = 330;

const zones = ["eu-1", "eu-2", "eu-3"];

/** Of a service's pods. */
const versions = ["v1", "v2", "v3"];

const ordinal = (index: number): string => `v${index}`;

/** A real API server with a cluster in it. */
export class Ground {
  readonly apiserver: KubeApiserver;
  private readonly client: KubeClient;
  private readonly size: ClusterSize;
  private readonly firstNode: string;

  private constructor(apiserver: KubeApiserver, client: KubeClient, size: ClusterSize, firstNode: string) {
    this.apiserver = apiserver;
    this.client = client;
    this.size = size;
    this.firstNode = firstNode;
  }

  /**
   * Makes all services, by one request each, and their pods and slices as copies of one in its etcd.
   * @param firstNode name of a node that has some of the pods
   */
  static async make(size: ClusterSize, firstNode: string): Promise<Ground> {
    const apiserver = await startKubeApiserver({
      // Of its own, it would hold back so many requests of one client.
      args: [
        "--max-requests-inflight=0",
        "--max-mutating-requests-inflight=0",
        "--enable-priority-and-fairness=false",
      ],
    });
    await prepareForIstio(apiserver);
    const account = {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "default", namespace: "default" },
    };
    await apiserver.apply(account);
    const ground = new Ground(apiserver, await KubeClient.of(apiserver.kubeconfig), size, firstNode);
    await forEach(ground.nodes, (index) => ground.makeNode(index));
    const originals = await ground.makeOriginals();
    await forEach(size.services, (index) => ground.makeService(index, originals));
    await ground.removeOriginals();
    return ground;
  }

  private get nodes(): number {
    return Math.ceil((this.size.services * this.size.podsPerService) / podsPerNode);
  }

  private nodeName(index: number): string {
    return index === 0 ? this.firstNode : `node-${index}`;
  }

  private makeNode(index: number): Promise<void> {
    return this.client.create(paths.nodes, node(this.nodeName(index), zones[index % zones.length] ?? ""));
  }

  private address(ofService: number, ofPod: number): string {
    const number = 0x010000 + ofService * this.size.podsPerService + ofPod;
    return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
  }

  /** Of a service. */
  async clusterAddress(index: number): Promise<string> {
    const { text } = await this.client.get(`${paths.services}/${serviceName(index)}`);
    return (JSON.parse(text) as { spec: { clusterIP: string } }).spec.clusterIP;
  }

  /** JSON merge patch of a service's slice: its last pod takes connections, or no more. */
  private change(index: number, ready: boolean): object {
    const { endpoints } = this.sliceOf(index);
    const last = endpoints.at(-1);
    return { endpoints: [...endpoints.slice(0, -1), { ...last, conditions: { ready } }] };
  }

  /** Makes the change by one request on a connection that is open. */
  changeByRequest(index: number, ready: boolean): Promise<void> {
    return this.client.patch(`${paths.slices}/${serviceName(index)}-a`, this.change(index, ready));
  }

  /** Makes the change by a kubectl that is started for it. */
  async changeByKubectl(index: number, ready: boolean): Promise<void> {
    const patch = JSON.stringify(this.change(index, ready));
    await this.apiserver.kubectl([
      "patch",
      `endpointslice/${serviceName(index)}-a`,
      "--type=merge",
      `--patch=${patch}`,
    ]);
  }

  async stop(): Promise<void> {
    this.client.close();
    await this.apiserver.stop();
  }

  /** Objects to be copied: one pod that runs, and one slice. */
  private async makeOriginals(): Promise<Originals> {
    await this.client.create(paths.pods, pod(originalName, "v0"));
    await this.client.patch(`${paths.pods}/${originalName}-v0/status`, podStatus("10.0.0.1"));
    await this.client.create(paths.slices, slice(originalName, { v0: "10.0.0.1" }));
    return {
      pod: await stored(this.apiserver, `pod/${originalName}-v0`),
      slice: await stored(this.apiserver, `endpointslice/${originalName}-a`),
    };
  }

  private async removeOriginals(): Promise<void> {
    await this.client.remove(`${paths.slices}/${originalName}-a`);
    await this.client.remove(`${paths.pods}/${originalName}-v0?gracePeriodSeconds=0`);
  }

  private async makeService(index: number, originals: Originals): Promise<void> {
    const app = serviceName(index);
    await this.client.create(paths.services, service(app));
    const { metadata, endpoints } = this.sliceOf(index);
    const sliceText = copyOf(originals.slice, metadata.name, { metadata, endpoints });
    const pods = Array.from({ length: this.size.podsPerService }, (_, i) =>
      this.podEntry(index, i, originals),
    );
    await this.apiserver.etcd.put([
      ...pods,
      [`/registry/endpointslices/default/${metadata.name}`, sliceText],
    ]);
  }

  private podEntry(ofService: number, ofPod: number, originals: Originals): [string, string] {
    const app = serviceName(ofService);
    const name = `${app}-${ordinal(ofPod)}`;
    const number = ofService * this.size.podsPerService + ofPod;
    const spec = { ...(originals.pod["spec"] as object), nodeName: this.nodeName(number % this.nodes) };
    const status = {
      ...(originals.pod["status"] as object),
      ...(podStatus(this.address(ofService, ofPod))["status"] as object),
    };
    const metadata = { labels: { app, version: versions[ofPod % versions.length] } };
    return [`/registry/pods/default/${name}`, copyOf(originals.pod, name, { metadata, spec, status })];
  }

  private sliceOf(index: number): ReturnType<typeof slice> {
    const pods = Array.from({ length: this.size.podsPerService }, (_, i) => i);
    const addresses = pods.map((i): [string, string] => [ordinal(i), this.address(index, i)]);
    return slice(serviceName(index), Object.fromEntries(addresses));
  }
}
