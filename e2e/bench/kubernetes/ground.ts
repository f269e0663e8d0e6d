import { forEach } from "../../kubernetes/for-each.ts";
import { KubeClient } from "../../kubernetes/kube-client.ts";
import { paths, pod, podStatus, service, slice } from "../../kubernetes/objects.ts";
import { prepareForIstio } from "../../peers/istio-objects.ts";
import { type KubeApiserver, startKubeApiserver } from "../../peers/kube-apiserver.ts";

/** Services that look alike, each with as many pods. */
export interface ClusterSize {
  readonly services: number;
  readonly podsPerService: number;
}

export const serviceName = (index: number): string => `service-${index}`;

const version = (index: number): string => `v${index}`;

/** A real API server with a cluster in it. */
export class Ground {
  readonly apiserver: KubeApiserver;
  private readonly client: KubeClient;
  private readonly size: ClusterSize;

  private constructor(apiserver: KubeApiserver, client: KubeClient, size: ClusterSize) {
    this.apiserver = apiserver;
    this.client = client;
    this.size = size;
  }

  /** Makes all objects, by one request each, which takes minutes for a large cluster. */
  static async make(size: ClusterSize): Promise<Ground> {
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
    const ground = new Ground(apiserver, await KubeClient.of(apiserver.kubeconfig), size);
    await forEach(size.services, (index) => ground.makeService(index));
    return ground;
  }

  private address(ofService: number, ofPod: number): string {
    const number = 0x010000 + ofService * this.size.podsPerService + ofPod;
    return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
  }

  /** Makes the last pod of a service take connections, or no more. */
  async change(index: number, ready: boolean): Promise<void> {
    const { endpoints } = this.sliceOf(index);
    const last = endpoints.at(-1);
    const changed = [...endpoints.slice(0, -1), { ...last, conditions: { ready } }];
    await this.client.patch(`${paths.slices}/${serviceName(index)}-a`, { endpoints: changed });
  }

  async stop(): Promise<void> {
    this.client.close();
    await this.apiserver.stop();
  }

  private async makeService(index: number): Promise<void> {
    const name = serviceName(index);
    await this.client.create(paths.services, service(name));
    for (let i = 0; i < this.size.podsPerService; i++) {
      await this.client.create(paths.pods, pod(name, version(i)));
      await this.client.patch(
        `${paths.pods}/${name}-${version(i)}/status`,
        podStatus(this.address(index, i)),
      );
    }
    await this.client.create(paths.slices, this.sliceOf(index));
  }

  private sliceOf(index: number): ReturnType<typeof slice> {
    const pods = Array.from({ length: this.size.podsPerService }, (_, i) => i);
    const addresses = pods.map((i): [string, string] => [version(i), this.address(index, i)]);
    return slice(serviceName(index), Object.fromEntries(addresses));
  }
}
