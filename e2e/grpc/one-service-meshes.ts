import type { PolicyIr } from "@keelson/protos";
import { ApplicationProtocol as Protocol } from "@keelson/protos/policy";
import { generatedMeshes, type Mesh } from "../envoy/acceptance/meshes.ts";

/** The service that clients call in all meshes; it has one port, which they need not name. */
export const calledHost = "called.default.svc.cluster.local";

const http = new Set([Protocol.UNSPECIFIED, Protocol.HTTP, Protocol.HTTP2, Protocol.GRPC, Protocol.GRPC_WEB]);

/**
 * Generated meshes in each of which one service has the name that is called, and all rules for it with it. Sorted by its
 * port: grpc-js 1.14 never takes up a cluster that is gone and comes again as it was, while it still waits for it.
 */
export function oneServiceMeshes(seed: number, count: number): Mesh[] {
  const meshes = [...generatedMeshes(seed, count)].flatMap(({ title, ir }) =>
    [...ir.services.values()].flatMap(({ hostname, ports }) => {
      const [only, ...others] = ports;
      const isCalled = only !== undefined && others.length === 0 && http.has(only.applicationProtocol);
      // A name for many hosts is nobody's to call.
      if (!isCalled || hostname.startsWith("*")) return [];
      const { port } = only;
      return { title: `${title}, ${hostname}:${port}`, port, ir: withCalled(ir, hostname) };
    }),
  );
  return meshes.sort((a, b) => a.port - b.port);
}

function withCalled(ir: PolicyIr, hostname: string): PolicyIr {
  const renamed = replaced(ir, hostname, calledHost) as PolicyIr;
  const services = [...renamed.services.values()]
    .map((each) => (each.hostname === calledHost ? { ...each, exportedTo: [] } : each))
    .sort((a, b) => (a.hostname < b.hostname ? -1 : 1));
  return {
    ...renamed,
    services: new Map(services.map((each) => [each.hostname, each])),
    // They may hide the service.
    sidecarScopes: new Map(),
  };
}

/** Plain data with one text in place of another, wherever it stands. */
function replaced(data: unknown, from: string, to: string): unknown {
  const text = (old: string): string => old.replaceAll(from, to);
  const all = (inner: unknown): unknown => replaced(inner, from, to);
  if (typeof data === "string") return text(data);
  if (Array.isArray(data)) return data.map(all);
  if (data instanceof Map) return new Map([...data].map(([key, value]) => [all(key), all(value)]));
  if (typeof data !== "object" || data === null || data instanceof Uint8Array) return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [text(key), all(value)]));
}
