import { Resolution, type Service, type ServicePort } from "@keelson/protos/policy";
import { isExportedTo } from "../envoy/index/services.ts";
import type { V1Port } from "./directory.ts";
import { isHttp, type V1Protocol, v1Protocol } from "./protocols.ts";
import type { RoutePlan } from "./routes.ts";
import type { ProxySources } from "./sources.ts";
import type { VirtualHostPlan } from "./virtual-hosts.ts";

/** Virtual hosts for what EgressRules let out, and the ports that they belong to. */
export function egressHosts(
  sources: ProxySources,
): { readonly port: number; readonly host: VirtualHostPlan }[] {
  return [...sources.ir.services.values()]
    .filter((service) => isLetOut(service) && isExportedTo(service, sources.caller.namespace))
    .flatMap(({ hostname, ports }) =>
      ports
        .map(letOutPort)
        .filter(({ protocol }) => isHttp(protocol) || protocol === "HTTPS")
        .map((port) => ({ port: port.port, host: egressHost(hostname, port, sources) })),
    );
}

/** Outside the mesh, and without endpoints of its own. */
const isLetOut = ({ meshExternal, resolution }: Service): boolean =>
  meshExternal && resolution === Resolution.PASSTHROUGH;

/** Names of an EgressRule's ports hold the protocol that is spoken outside; callers speak HTTP. */
function letOutPort({ name, port, applicationProtocol }: ServicePort): V1Port {
  const [, written] = /^external-(HTTPS?|HTTP2|GRPC)-\d+$/.exec(name) ?? [];
  const spoken = v1Protocol(applicationProtocol, false);
  // Whoever writes a ServiceEntry with such a port speaks TLS himself, which a virtual host cannot take.
  const protocol = written === undefined && spoken === "HTTPS" ? "TCP" : ((written ?? spoken) as V1Protocol);
  return { name, port, protocol };
}

function egressHost(
  hostname: string,
  port: V1Port,
  { clusters, rules, caller }: ProxySources,
): VirtualHostPlan {
  const cluster = clusters.egress(hostname, port);
  const routes = rules.of(hostname, port, caller).map((route): RoutePlan => {
    const destinations = route.destinations.length === 0 ? [] : [{ name: cluster.name, weight: 100 }];
    return { ...route, destinations, clusters: [cluster] };
  });
  const name = `${hostname}:${port.port}`;
  return { name, domains: [hostname, name], routes };
}
