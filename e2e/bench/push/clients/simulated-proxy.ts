import { fromJson, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { StructSchema } from "@bufbuild/protobuf/wkt";
import { clientAddress, namespaceName, servicePort } from "../mesh.ts";
import { fieldOf } from "./fields.ts";
import { Http2Stream } from "./http2-stream.ts";
import type { Response, Variant } from "./variants.ts";

const urlOf = (message: string): string => `type.googleapis.com/envoy.config.${message}`;

const types = {
  cluster: urlOf("cluster.v3.Cluster"),
  endpoint: urlOf("endpoint.v3.ClusterLoadAssignment"),
  listener: urlOf("listener.v3.Listener"),
  route: urlOf("route.v3.RouteConfiguration"),
} as const;

/** An envoy.config.core.v3.Node, as pilot-agent would make it of a pod. */
function nodeBytes(index: number, namespace: number): Buffer {
  const name = namespaceName(namespace);
  const metadata: JsonObject = {
    NAMESPACE: name,
    CLUSTER_ID: "Kubernetes",
    ISTIO_VERSION: "1.30.0",
    MESH_ID: "cluster.local",
    NAME: `client-${index}`,
    SERVICE_ACCOUNT: "default",
    WORKLOAD_NAME: `client-${index}`,
    INTERCEPTION_MODE: "REDIRECT",
    LABELS: { app: `client-${index}`, version: "v1" },
    INSTANCE_IPS: clientAddress(index),
    PROXY_CONFIG: {},
  };
  return Buffer.concat([
    fieldOf(1, `sidecar~${clientAddress(index)}~client-${index}.${name}~${name}.svc.cluster.local`),
    fieldOf(2, `client-${index}.${name}`),
    fieldOf(3, Buffer.from(toBinary(StructSchema, fromJson(StructSchema, metadata)))),
  ]);
}

export interface ProxyEvents {
  /** Everything that it asked for was there and is acked. */
  readonly onUp: () => void;
  /** Endpoints came, and are acked; called before the ack is written. */
  readonly onEndpoints: (resources: Response["resources"]) => void;
  readonly onEnd: (why: string) => void;
}

/**
 * One sidecar's side of ADS: it asks for clusters, their endpoints, listeners and routes, each when the one before is
 * there, as an Envoy does, and acks all that comes.
 */
export class SimulatedProxy {
  /** Of clusters with endpoints of their own. */
  clusters: readonly string[] = [];
  private readonly variant: Variant;
  private readonly events: ProxyEvents;
  private readonly stream: Http2Stream;
  /** By type, of what was asked for. */
  private readonly acks = new Map<string, Buffer>();
  private readonly answered = new Set<string>();

  constructor(port: number, index: number, namespace: number, variant: Variant, events: ProxyEvents) {
    this.variant = variant;
    this.events = events;
    this.stream = new Http2Stream(port, variant.path, {
      onMessage: (message) => this.take(variant.read(message)),
      onEnd: (why) => events.onEnd(`client-${index}: ${why}`),
    });
    this.ask(types.cluster, [], variant.node(nodeBytes(index, namespace)));
  }

  get receivedBytes(): number {
    return this.stream.received;
  }

  private ask(typeUrl: string, names: readonly string[], node: Buffer = Buffer.alloc(0)): void {
    this.acks.set(typeUrl, this.variant.ack(typeUrl, names));
    this.stream.send(node, this.variant.request(typeUrl, names));
  }

  private take({ typeUrl, nonce, resources }: Response): void {
    const ack = this.acks.get(typeUrl);
    if (ack === undefined) throw new Error(`a response of a type that was not asked for: "${typeUrl}"`);
    this.stream.send(ack, this.variant.nonce(nonce));
    if (typeUrl === types.endpoint) this.events.onEndpoints(resources);
    if (this.answered.has(typeUrl)) return;
    this.answered.add(typeUrl);
    this.goOn(typeUrl, resources);
  }

  private goOn(answered: string, resources: Response["resources"]): void {
    if (answered === types.cluster) {
      this.clusters = resources.map(({ name }) => name).filter((name) => name.startsWith("outbound|"));
      this.ask(types.endpoint, this.clusters);
    } else if (answered === types.endpoint) {
      this.ask(types.listener, []);
    } else if (answered === types.listener) {
      this.ask(types.route, [String(servicePort)]);
    } else {
      this.events.onUp();
    }
  }
}
