import { create } from "@bufbuild/protobuf";
import { type Gateway, GatewaySchema, type GatewayServer, GatewayServerSchema } from "@keelson/protos/proxy";
import type { IstioGatewayObject } from "../kinds/index.ts";
import type { IstioGatewayServer } from "../kinds/istio-gateway.ts";
import { serverTlsOf } from "./server-tls.ts";
import { sortedEntries } from "./string-match.ts";

/** @param object passed checkIstioGateway */
export function normaliseIstioGateway(object: IstioGatewayObject): Gateway {
  const { selector, servers } = object.body.spec;
  const { name, namespace } = object.metadata;
  return create(GatewaySchema, {
    name: `${namespace}/${name}`,
    namespace,
    selector: Object.fromEntries(sortedEntries(selector)),
    servers: servers.map((server) => serverOf(server, namespace)),
  });
}

function serverOf({ name, port, bind, hosts, tls }: IstioGatewayServer, namespace: string): GatewayServer {
  return create(GatewayServerSchema, {
    name: name ?? "",
    port: port.number,
    portName: port.name,
    protocol: port.protocol.toUpperCase(),
    bind: bind ?? "",
    hosts: hosts.map((host) => namespacedHost(host, namespace)),
    ...(tls && { tls: serverTlsOf(tls) }),
  });
}

/** A host without a namespace may be served by rules of every namespace. */
function namespacedHost(text: string, namespace: string): string {
  const lower = text.toLowerCase();
  if (!lower.includes("/")) return `*/${lower}`;
  return lower.startsWith("./") ? `${namespace}/${lower.slice(2)}` : lower;
}
