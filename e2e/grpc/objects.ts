import type { KubernetesObject } from "../world/objects.ts";

const namespace = "default";
const apiVersion = "networking.istio.io/v1";
const nameOf = (host: string): string => host.replaceAll(".", "-");

/** What clients dial on all services here. */
export const grpcPort = 8080;

export interface VersionedEndpoint {
  /** IP:port. */
  readonly address: string;
  /** Its label. */
  readonly version: string;
}

/** A ServiceEntry whose endpoints speak gRPC. @param subjectAltNames of their certificates */
export const grpcService = (
  host: string,
  endpoints: readonly VersionedEndpoint[],
  subjectAltNames: readonly string[] = [],
): KubernetesObject => ({
  apiVersion,
  kind: "ServiceEntry",
  metadata: { name: nameOf(host), namespace },
  spec: {
    hosts: [host],
    ports: [{ name: "grpc", number: grpcPort, protocol: "GRPC" }],
    resolution: "STATIC",
    subjectAltNames,
    endpoints: endpoints.map(({ address, version }) => {
      const colon = address.lastIndexOf(":");
      return {
        address: address.slice(0, colon),
        ports: { grpc: Number(address.slice(colon + 1)) },
        labels: { version },
      };
    }),
  },
});

/** A DestinationRule with a subset for each version, named after it. */
export const versionSubsets = (
  host: string,
  versions: readonly string[],
  trafficPolicy?: KubernetesObject,
): KubernetesObject => ({
  apiVersion,
  kind: "DestinationRule",
  metadata: { name: nameOf(host), namespace },
  spec: {
    host,
    ...(trafficPolicy && { trafficPolicy }),
    subsets: versions.map((version) => ({ name: version, labels: { version } })),
  },
});

/** A VirtualService. @param http its routes, in order */
export const virtualService = (host: string, http: readonly KubernetesObject[]): KubernetesObject => ({
  apiVersion,
  kind: "VirtualService",
  metadata: { name: nameOf(host), namespace },
  spec: { hosts: [host], http },
});

/** The `route` of a rule: shares by version. */
export const toVersions = (
  host: string,
  weights: Readonly<Record<string, number>>,
): readonly KubernetesObject[] =>
  Object.entries(weights).map(([subset, weight]) => ({ destination: { host, subset }, weight }));

/** Calls with the header `x-version` of this value. */
export const headerIs = (value: string): readonly KubernetesObject[] => [
  { headers: { "x-version": { exact: value } } },
];

/**
 * Rules with all that they can say, also what gRPC cannot do. Calls go to the first version; with the header `x-to` "b" or
 * "c" to the second. `x-answer` asks for an answer ("403"), a redirect ("redirect"), a fault ("fault"), or to go to the silent version within a time limit ("late").
 */
export function ruleOfEverything(
  host: string,
  [first = "", second = "", other = "", silent = ""]: readonly string[],
): readonly KubernetesObject[] {
  const to = (version: string) => toVersions(host, { [version]: 100 });
  const answer = (name: string) => [{ headers: { "x-answer": { exact: name } } }];
  const abort = { percentage: { value: 100 }, grpcStatus: "DATA_LOSS" };
  return [
    versionSubsets(host, [first, second, other, silent], {
      loadBalancer: { consistentHash: { httpHeaderName: "x-key", maglev: { tableSize: 251 } } },
      connectionPool: {
        tcp: { maxConnections: 9 },
        http: { http2MaxRequests: 99, maxRequestsPerConnection: 9 },
      },
      outlierDetection: { consecutive5xxErrors: 5, interval: "1s" },
      tls: { mode: "SIMPLE" },
    }),
    virtualService(host, [
      { match: answer("403"), directResponse: { status: 403, body: { string: "no" } } },
      { match: answer("redirect"), redirect: { uri: "/elsewhere", redirectCode: 302 } },
      {
        match: answer("fault"),
        route: to(first),
        fault: { abort, delay: { percentage: { value: 100 }, fixedDelay: "1ms" } },
      },
      {
        match: answer("late"),
        route: to(silent),
        timeout: "100ms",
      },
      { match: [{ method: { exact: "POST" }, headers: { "x-to": { regex: "b|c" } } }], route: to(second) },
      {
        match: [
          { method: { exact: "GET" } },
          { queryParams: { q: { exact: "1" } } },
          { authority: { prefix: "none" }, scheme: { exact: "ftp" } },
          { uri: { prefix: "/a/b/c" }, ignoreUriCase: true },
        ],
        route: to(other),
      },
      {
        match: [{ withoutHeaders: { "x-to": { exact: "no" }, "x-never": {} } }],
        route: to(first),
        timeout: "5s",
        retries: { attempts: 20, perTryTimeout: "1s", retryOn: "5xx,reset,503", backoff: "10ms" },
        corsPolicy: { allowOrigins: [{ exact: "*" }] },
        mirror: { host, subset: other },
        rewrite: { uri: "/keelson", authority: "elsewhere" },
        headers: { request: { set: { a: "1" }, remove: ["b"] }, response: { add: { c: "2" } } },
      },
      { route: to(other) },
    ]),
  ];
}
