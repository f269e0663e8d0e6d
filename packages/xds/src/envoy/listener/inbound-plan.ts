import { ApplicationProtocol as Protocol } from "@keelson/protos/policy";
import { CaptureMode, type IngressListener, type ServerTls } from "@keelson/protos/proxy";
import type { ConnectionPool } from "@keelson/protos/traffic-policy";
import { wildcardsOf } from "../addresses.ts";
import type { Context } from "../context.ts";
import type { WorkloadPort } from "../index/workload-ports.ts";
import { parseProtocol } from "../protocols.ts";
import { policyFor } from "../traffic-policy.ts";

/** One port of the workload, as callers reach it through its sidecar. Plain data: equal plans make equal resources. */
export interface InboundPlan {
  /** What the workload listens on. */
  readonly port: number;
  /** What callers dial; names the virtual host. */
  readonly servicePort: number;
  readonly hostname: string;
  readonly protocol: Protocol;
  /** First address of the listener; names the chain. */
  readonly bind: string;
  readonly bindToPort: boolean;
  /** Where to send it, "host:port" or "unix://…"; empty: where the caller dialled. */
  readonly endpoint: string;
  readonly pool: ConnectionPool | undefined;
  /** TLS that the listener itself ends. */
  readonly tls: ServerTls | undefined;
}

/**
 * The ports of a sidecar's workload, sorted by number. Of two services that share one the first counts. Where nothing is
 * redirected, the workload itself listens on its ports, and only what a Sidecar's ingress names is taken.
 */
export function inboundPlans(ports: readonly WorkloadPort[], context: Context): InboundPlan[] {
  const { scope, proxy } = context;
  if (scope.ingress.length > 0) return scope.ingress.map((listener) => ingressPlan(listener, ports, context));
  if (proxy.interception === "NONE") return [];
  const byPort = new Map<number, InboundPlan>();
  for (const workloadPort of ports) {
    const plan = byPort.has(workloadPort.port) ? undefined : servicePlan(workloadPort, context);
    if (plan !== undefined) byPort.set(workloadPort.port, plan);
  }
  return [...byPort.values()];
}

function servicePlan(
  { hostname, servicePort, port }: WorkloadPort,
  context: Context,
): InboundPlan | undefined {
  const service = context.services.get(hostname);
  const declared = service?.ports.find((candidate) => candidate.port === servicePort);
  if (service === undefined || declared === undefined || declared.applicationProtocol === Protocol.UDP) {
    return undefined;
  }
  return {
    port,
    servicePort,
    hostname,
    protocol: declared.applicationProtocol,
    bind: wildcardsOf(context.proxy.families)[0] ?? "",
    bindToPort: false,
    endpoint: "",
    pool:
      context.scope.inboundConnectionPool ?? policyFor(context.policyOf(service), servicePort).connectionPool,
    tls: undefined,
  };
}

function ingressPlan(
  listener: IngressListener,
  ports: readonly WorkloadPort[],
  context: Context,
): InboundPlan {
  const { proxy, scope } = context;
  return {
    port: listener.port,
    servicePort: listener.port,
    hostname: ports.find(({ port }) => port === listener.port)?.hostname ?? "",
    protocol: parseProtocol(listener.protocol),
    bind: listener.bind || (wildcardsOf(proxy.families)[0] ?? ""),
    bindToPort: proxy.interception === "NONE" || listener.captureMode === CaptureMode.NONE,
    endpoint: listener.defaultEndpoint,
    pool: listener.connectionPool ?? scope.inboundConnectionPool,
    tls: listener.tls,
  };
}
