import { externalNameCluster } from "./clusters.ts";
import { anyAddress, httpListener, type ListenerPlan } from "./listeners.ts";
import { asksMixer, mixerOpaque } from "./mixer.ts";
import { isHttp } from "./protocols.ts";
import { defaultRoute } from "./routes.ts";
import type { ProxySources } from "./sources.ts";
import { listenerTls } from "./tls.ts";
import { normaliseHosts, type RouteTables, type VirtualHostPlan } from "./virtual-hosts.ts";

/** The port of host:port; 0 where there is none. */
function egressPort(address: string): number {
  const port = Number(address.slice(address.lastIndexOf(":") + 1));
  return Number.isInteger(port) ? port : 0;
}

/** The one listener of the egress proxy, which sidecars send what goes to external names. */
export function egressProxyListener(sources: ProxySources): ListenerPlan {
  const port = egressPort(sources.mesh.egressProxyAddress);
  const listener = httpListener(
    { address: anyAddress, port, routes: String(port), hostnames: [], operation: "ingress" },
    sources,
  );
  return sources.mesh.mutualTls ? { ...listener, tls: listenerTls } : listener;
}

/** One virtual host for each external name. Of several ports the last one counts, as in Pilot. */
export function egressProxyRoutes(sources: ProxySources): RouteTables {
  const { directory, mesh } = sources;
  const hosts = directory.services.flatMap((service): VirtualHostPlan[] => {
    const port = service.ports.findLast(({ protocol }) => isHttp(protocol) || protocol === "HTTPS");
    if (service.kind !== "externalName" || port === undefined) return [];
    const route = {
      ...defaultRoute(externalNameCluster(service, port)),
      autoHostRewrite: true,
      ...(asksMixer(sources) && { opaque: mixerOpaque(mesh, false) }),
    };
    return [{ name: service.hostname, domains: [service.hostname], routes: [route] }];
  });
  return new Map([[egressPort(mesh.egressProxyAddress), normaliseHosts(hosts)]]);
}
