import { promisify } from "node:util";
import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { policyTypeUrls, type Resource } from "@keelson/protos";
import { EndpointSetSchema, ServiceSchema, WorkloadSchema } from "@keelson/protos/policy";
import { rulesInOrder, serverOptions, XdsServer } from "@keelson/xds";
import { address, aWorkload } from "@keelson/xds/envoy/testing";
import type { Pod } from "../world/pod.ts";
import type { Case } from "./cases.ts";
import { nodeServiceOf, setsOf } from "./mesh.ts";

/** The xDS server of a control plane, for a node whose services are the cases. */
export class NodePolicy implements Disposable {
  /** What a node's agent refused, in words. */
  readonly refused: string[] = [];
  private readonly server = new grpc.Server(serverOptions);
  private readonly xds = new XdsServer({
    types: rulesInOrder(Object.values(policyTypeUrls)),
    onEvent: (event) => {
      if (event.kind === "nack") this.refused.push(`${event.typeUrl}: ${event.message}`);
    },
  });

  /** @param listen host:port */
  static async serve(
    listen: string,
    cases: readonly Case[],
    { caller, echoPort }: { readonly caller: Pod; readonly echoPort: number },
  ): Promise<NodePolicy> {
    const policy = new NodePolicy();
    const services = cases.map(nodeServiceOf);
    const sets = cases.flatMap((_, number) => setsOf(number, echoPort));
    policy.xds.setSnapshot({
      version: 1n,
      resources: new Map([
        [policyTypeUrls.endpointSet, resources(EndpointSetSchema, sets, ({ name }) => name)],
        [policyTypeUrls.service, resources(ServiceSchema, services, ({ hostname }) => hostname)],
        [policyTypeUrls.workload, resources(WorkloadSchema, [workloadOf(caller)], ({ name }) => name)],
      ]),
    });
    policy.xds.register(policy.server);
    const bind = promisify(policy.server.bindAsync.bind(policy.server));
    await bind(listen, grpc.ServerCredentials.createInsecure());
    return policy;
  }

  [Symbol.dispose](): void {
    this.xds.close();
    this.server.forceShutdown();
  }
}

const workloadOf = ({ name, uid, node, ipv4, ipv6 }: Pod) =>
  aWorkload(`default/${name}`, { uid, node, addresses: [ipv4, ipv6].map(address) });

/** Nothing of them changes, so they have one version. */
const resources = <Desc extends DescMessage>(
  schema: Desc,
  messages: readonly MessageShape<Desc>[],
  nameOf: (message: MessageShape<Desc>) => string,
): ReadonlyMap<string, Resource> =>
  new Map(
    messages.map((message) => {
      const name = nameOf(message);
      return [name, { name, version: "1", body: toBinary(schema, message) }];
    }),
  );
