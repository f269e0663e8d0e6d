import { create } from "@bufbuild/protobuf";
import {
  type Gateway,
  GatewaySchema,
  type GatewayServer,
  GatewayServerSchema,
  type ServerTls,
} from "@keelson/protos/proxy";
import type { FieldPath, Problem } from "../config-object.ts";
import type { IstioGatewayObject } from "../kinds/index.ts";
import type { IstioGatewayServer } from "../kinds/istio-gateway.ts";
import { checkedCredential } from "./gateway-credentials.ts";
import type { Normalised } from "./normalised.ts";
import type { ReferenceGrants } from "./reference-grants.ts";
import { serverTlsOf } from "./server-tls.ts";
import { sortedEntries } from "./string-match.ts";

/** @param object passed checkIstioGateway */
export function normaliseIstioGateway(
  object: IstioGatewayObject,
  grants: ReferenceGrants,
): Normalised<Gateway> {
  const { selector, servers } = object.body.spec;
  const { name, namespace } = object.metadata;
  const problems: Problem[] = [];
  const made = servers.map((server, i) => {
    const tls = server.tls && serverTlsOf(server.tls);
    if (tls !== undefined) checkCredentials(tls, object, ["spec", "servers", i, "tls"], { grants, problems });
    return serverOf(server, namespace, tls);
  });
  const value = create(GatewaySchema, {
    name: `${namespace}/${name}`,
    namespace,
    selector: Object.fromEntries(sortedEntries(selector)),
    servers: made,
  });
  return { value, problems };
}

/** @param tls its credentials become invalid ones where the Gateway may not name them */
function checkCredentials(
  tls: ServerTls,
  object: IstioGatewayObject,
  path: FieldPath,
  found: { readonly grants: ReferenceGrants; readonly problems: Problem[] },
): void {
  const checked = (name: string): string => checkedCredential(name, object, path, found);
  tls.credentialNames = tls.credentialNames.map(checked);
  tls.caCredentialName = checked(tls.caCredentialName);
}

function serverOf(
  { name, port, bind, hosts }: IstioGatewayServer,
  namespace: string,
  tls: ServerTls | undefined,
): GatewayServer {
  return create(GatewayServerSchema, {
    name: name ?? "",
    port: port.number,
    portName: port.name,
    protocol: port.protocol.toUpperCase(),
    bind: bind ?? "",
    hosts: hosts.map((host) => namespacedHost(host, namespace)),
    ...(tls && { tls }),
  });
}

/** A host without a namespace may be served by rules of every namespace. */
function namespacedHost(text: string, namespace: string): string {
  const lower = text.toLowerCase();
  if (!lower.includes("/")) return `*/${lower}`;
  return lower.startsWith("./") ? `${namespace}/${lower.slice(2)}` : lower;
}
