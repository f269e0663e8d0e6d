import { ApplicationProtocol as Protocol } from "@keelson/protos/policy";
import { type GatewayServer, ServerTls_Mode as Mode, type ServerTls } from "@keelson/protos/proxy";
import type { WorkloadPort } from "../index/workload-ports.ts";
import { listenerKind } from "../listener/listener-merger.ts";
import { parseProtocol } from "../protocols.ts";
import type { NamedGateway } from "./gateway-index.ts";

/** What a server does with connections: serves HTTP, tells TLS by its server name, or passes bytes on. */
type ServerKind = "http" | "tls" | "tcp";

/** One server of a Gateway, on one port of the workload. */
export interface ServedServer {
  readonly server: GatewayServer;
  /** "namespace/name" */
  readonly gateway: string;
  readonly kind: ServerKind;
  /** Name of the route configuration; undefined where requests are not looked at. */
  readonly routeName: string | undefined;
}

/** What listens on one address of a gateway. */
export interface GatewayListener {
  /** Empty: everywhere. */
  readonly bind: string;
  readonly port: number;
  readonly kind: ServerKind;
  /** At least one. */
  readonly servers: readonly ServedServer[];
}

const passesTls = (tls: ServerTls | undefined): boolean =>
  tls?.mode === Mode.PASSTHROUGH || tls?.mode === Mode.AUTO_PASSTHROUGH;

/** Ends TLS with a certificate; a server that only redirects to https does not. */
export const endsTls = (tls: ServerTls | undefined): tls is ServerTls =>
  tls !== undefined && tls.mode !== Mode.UNSPECIFIED && !passesTls(tls);

function kindOf(protocol: Protocol, tls: ServerTls | undefined): ServerKind {
  if (listenerKind(protocol) === "http") return "http";
  return passesTls(tls) || endsTls(tls) ? "tls" : "tcp";
}

/** As Istio names the route configurations of gateways. */
function routeNameOf(server: GatewayServer, port: number, gateway: string): string | undefined {
  const protocol = parseProtocol(server.protocol);
  const bind = server.bind === "" ? "" : `.${server.bind}`;
  if (listenerKind(protocol) === "http") return `http.${port}${bind}`;
  if (protocol !== Protocol.HTTPS || !endsTls(server.tls)) return undefined;
  const [namespace = "", name = ""] = gateway.split("/");
  return `https.${server.port}.${server.portName}.${name}.${namespace}${bind}`;
}

/** A Gateway names the port of the gateway's Service; the workload may listen on another. */
function workloadPortsOf(port: number, ports: readonly WorkloadPort[]): number[] {
  const own = new Set(ports.filter(({ servicePort }) => servicePort === port).map((found) => found.port));
  return own.size === 0 ? [port] : [...own];
}

/**
 * The listeners of a gateway, sorted by port and address. Servers that share an address must do the same with its
 * connections; of those that do not, the first counts.
 * @param gateways those whose selector holds, in the order in which they are asked.
 * @param ports of the gateway's own workload.
 */
export function gatewayListeners(
  gateways: readonly NamedGateway[],
  ports: readonly WorkloadPort[],
): readonly GatewayListener[] {
  const listeners = new Map<string, GatewayListener & { servers: ServedServer[] }>();
  for (const { name, gateway } of gateways) {
    for (const server of gateway.servers) {
      const kind = kindOf(parseProtocol(server.protocol), server.tls);
      for (const port of workloadPortsOf(server.port, ports)) {
        const key = `${server.bind}|${port}`;
        const listener = listeners.get(key) ?? { bind: server.bind, port, kind, servers: [] };
        const routeName = routeNameOf(server, port, name);
        if (listener.kind !== kind || (kind === "tcp" && listener.servers.length > 0)) continue;
        listener.servers.push({ server, gateway: name, kind, routeName });
        listeners.set(key, listener);
      }
    }
  }
  return [...listeners.values()].sort((a, b) => a.port - b.port || (a.bind < b.bind ? -1 : 1));
}
