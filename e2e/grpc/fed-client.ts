import { fromBinary } from "@bufbuild/protobuf";
import {
  ClusterSchema,
  Cluster_DiscoveryType as DiscoveryType,
} from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { RouteConfigurationSchema } from "@envoyproxy/xds-protos/envoy/config/route/v3/route_pb.js";
import type { ConnectionView } from "@keelson/xds";
import { envoyTypeUrls } from "@keelson/xds/envoy";
import type { MeshServer } from "../envoy/acceptance/mesh-server.ts";
import { type EchoClient, type GrpcLanguage, startEchoClient } from "../peers/echo.ts";
import { proxylessBootstrap } from "../peers/grpc-bootstrap.ts";
import { Hopeless, until } from "../world/until.ts";
import { calledHost } from "./one-service-meshes.ts";

const { cluster, endpoint, listener, route } = envoyTypeUrls;

/** A real gRPC client that is fed by a mesh server. Nobody answers its calls. */
export class FedClient implements AsyncDisposable {
  private readonly name: string;
  private readonly client: EchoClient;
  private readonly server: MeshServer;

  private constructor(name: string, client: EchoClient, server: MeshServer) {
    this.name = name;
    this.client = client;
    this.server = server;
  }

  /** @param certificates folder of its certificate */
  static async start(language: GrpcLanguage, server: MeshServer, certificates: string): Promise<FedClient> {
    const bootstrap = proxylessBootstrap({
      discoveryAddress: `unix:${server.socket}`,
      name: "client",
      namespace: "default",
      address: "10.244.255.1",
      metadata: { NODE_NAME: language },
      certificates,
    });
    const client = await startEchoClient({ language, bootstrap, target: `xds:///${calledHost}` });
    const fed = new FedClient(language, client, server);
    // Only a call makes it ask for anything.
    await client.send({ count: 1, deadlineMs: 100 });
    return fed;
  }

  /** Waits until it has what it wants of the mesh that the server has. @returns what it refused; nothing, if all is well */
  async refusals(): Promise<string[]> {
    const nacks: string[] = [];
    const look = async (): Promise<boolean> => {
      await this.client.process.process.assertAlive();
      nacks.push(...this.server.takeNacks(this.name));
      const lack = lackOf(this.server.connection(this.name));
      if (lack !== undefined && nacks.length === 0) throw new Error(lack);
      return true;
    };
    await until(look, { what: `the client on ${this.name}`, timeoutMs: 20_000 }).catch((error: unknown) => {
      if (error instanceof Hopeless) throw error;
      nacks.push(error instanceof Error ? error.message : String(error));
    });
    return nacks;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.stop();
  }
}

/** What a client has not asked for yet, or not answered; undefined: nothing. */
function lackOf(connection: ConnectionView | undefined): string | undefined {
  if (connection === undefined) return "is not connected";
  for (const [typeUrl, { sentNonce, ackedNonce }] of Object.entries(connection.types))
    if (sentNonce !== ackedNonce) return `has not answered ${typeUrl}`;
  const [routes] = connection.resources(route);
  if (routes === undefined)
    return `has asked for no routes, but for ${connection.names(listener).join(", ")}`;
  const wanted = clustersOf(routes.body);
  const names = new Set(connection.names(cluster));
  const missing = wanted.find((name) => !names.has(name));
  if (missing !== undefined) return `has not asked for the cluster ${missing}`;
  const assigned = new Set(connection.names(endpoint));
  const lacking = connection
    .resources(cluster)
    .find(({ name, body }) => wanted.includes(name) && isByEds(body) && !assigned.has(name));
  return lacking === undefined ? undefined : `has not asked for the endpoints of ${lacking.name}`;
}

const isByEds = (body: Uint8Array): boolean =>
  fromBinary(ClusterSchema, body).clusterDiscoveryType.value === DiscoveryType.EDS;

/** All that routes for any path lead to; those for paths that no call has, such as "/a", are passed over by some libraries. */
function clustersOf(body: Uint8Array): string[] {
  const routes = fromBinary(RouteConfigurationSchema, body).virtualHosts.flatMap((host) => host.routes);
  return routes.flatMap(({ match, action }) => {
    const { case: how, value: path } = match?.pathSpecifier ?? {};
    if (how !== "prefix" || path !== "/") return [];
    const specifier = action.case === "route" ? action.value.clusterSpecifier : undefined;
    if (specifier?.case === "cluster") return [specifier.value];
    return specifier?.case === "weightedClusters" ? specifier.value.clusters.map(({ name }) => name) : [];
  });
}
