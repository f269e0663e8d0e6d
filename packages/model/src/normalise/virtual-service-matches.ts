import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type ConnectionMatch,
  ConnectionMatchSchema,
  type HttpMatch,
  HttpMatchSchema,
  type SourceMatchSchema,
} from "@keelson/protos/match";
import type {
  VirtualServiceHttpRoute,
  VirtualServiceTcpRoute,
  VirtualServiceTlsRoute,
} from "../kinds/virtual-service.ts";
import { resolveGateway } from "./hosts.ts";
import { definedMatches, headerMatch, queryMatch, sortedEntries } from "./string-match.ts";

type WrittenHttpMatch = VirtualServiceHttpRoute["match"][number];

/** Claims of a token, which Istio writes as headers of this name. */
export const isClaim = (header: string): boolean => header.toLowerCase().startsWith("@request.auth.claims");

export function httpMatch(written: WrittenHttpMatch, namespace: string): HttpMatch {
  const { uri, scheme, method, authority, headers, withoutHeaders, queryParams } = written;
  return create(HttpMatchSchema, {
    name: written.name ?? "",
    ...definedMatches({ uri, scheme, method, authority }),
    ignoreUriCase: written.ignoreUriCase ?? false,
    headers: [
      ...sortedEntries(headers).map(([name, value]) => headerMatch(name, value)),
      ...sortedEntries(withoutHeaders).map(([name, value]) => ({
        ...headerMatch(name, value),
        invert: true,
      })),
    ].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
    queryParameters: sortedEntries(queryParams).map(([name, value]) => queryMatch(name, value)),
    port: written.port ?? 0,
    ...source(written),
    gateways: (written.gateways ?? []).map((gateway) => resolveGateway(gateway, namespace)),
    statPrefix: written.statPrefix ?? "",
  });
}

interface WrittenSource {
  readonly sourceLabels?: Record<string, string> | undefined;
  readonly sourceNamespace?: string | undefined;
}

function source(written: WrittenSource): { source?: MessageInitShape<typeof SourceMatchSchema> } {
  const { sourceLabels = {}, sourceNamespace = "" } = written;
  if (Object.keys(sourceLabels).length === 0 && sourceNamespace === "") return {};
  return { source: { labels: Object.fromEntries(sortedEntries(sourceLabels)), namespace: sourceNamespace } };
}

export function tcpMatch(
  written: VirtualServiceTcpRoute["match"][number],
  namespace: string,
): ConnectionMatch {
  const { sourceSubnet } = written;
  return create(ConnectionMatchSchema, {
    ...connection(written, namespace),
    sourceSubnets: sourceSubnet === undefined ? [] : [sourceSubnet],
  });
}

export function tlsMatch(
  written: VirtualServiceTlsRoute["match"][number],
  namespace: string,
): ConnectionMatch {
  return create(ConnectionMatchSchema, {
    ...connection(written, namespace),
    sniHosts: written.sniHosts.map((host) => host.toLowerCase()),
  });
}

function connection(
  written: WrittenSource & {
    readonly destinationSubnets?: string[] | undefined;
    readonly port?: number | undefined;
    readonly gateways?: string[] | undefined;
  },
  namespace: string,
) {
  return {
    destinationSubnets: written.destinationSubnets ?? [],
    port: written.port ?? 0,
    ...source(written),
    gateways: (written.gateways ?? []).map((gateway) => resolveGateway(gateway, namespace)),
  };
}
