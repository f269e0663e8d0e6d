import type { MutualTlsSettings } from "@keelson/model";
import { ApplicationProtocol as Protocol } from "@keelson/protos/policy";
import { CaptureMode, type IngressListener, type MutualTls, type ServerTls } from "@keelson/protos/proxy";
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
  /** First address of the listener; names the chain. Empty: the workload's own. */
  readonly bind: string;
  readonly bindToPort: boolean;
  /** Where to send it, "host:port" or "unix://…"; empty: where the caller dialled. */
  readonly endpoint: string;
  readonly pool: ConnectionPool | undefined;
  /** TLS that the listener itself ends. */
  readonly tls: ServerTls | undefined;
  /** Whether it takes mutual TLS of the mesh, clear text or both. */
  readonly mutualTls: MutualTls;
}

/** What is taken on a port that no service has. Plain data. */
export interface UnknownPort {
  /** 0: all others. */
  readonly port: number;
  readonly mutualTls: MutualTls;
}

/** The ports that no plan is for, as far as a policy speaks of them, and the rest. */
export const unknownPorts = (
  plans: readonly InboundPlan[],
  { mode, ports }: MutualTlsSettings,
): UnknownPort[] => [
  { port: 0, mutualTls: mode },
  ...[...ports]
    .filter(([port]) => plans.every((plan) => plan.port !== port))
    .map(([port, mutualTls]) => ({ port, mutualTls })),
];

/**
 * The ports of a sidecar's workload, sorted by number. Of two services that share one the first counts. Where nothing is
 * redirected, the workload itself listens on its ports, and only what a Sidecar's ingress names is taken.
 */
export function inboundPlans(
  ports: readonly WorkloadPort[],
  context: Context,
  settings: MutualTlsSettings,
): InboundPlan[] {
  return plansOf(ports, context).map((plan) => ({
    ...plan,
    mutualTls: settings.ports.get(plan.port) ?? settings.mode,
  }));
}

type PortPlan = Omit<InboundPlan, "mutualTls">;

function plansOf(ports: readonly WorkloadPort[], context: Context): PortPlan[] {
  const { scope, proxy } = context;
  if (scope.ingress.length > 0) return scope.ingress.map((listener) => ingressPlan(listener, ports, context));
  if (proxy.interception === "NONE") return [];
  const byPort = new Map<number, PortPlan>();
  for (const workloadPort of ports) {
    const plan = byPort.has(workloadPort.port) ? undefined : servicePlan(workloadPort, context);
    if (plan !== undefined) byPort.set(workloadPort.port, plan);
  }
  return [...byPort.values()];
}

function servicePlan({ hostname, servicePort, port }: WorkloadPort, context: Context): PortPlan | undefined {
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

function ingressPlan(listener: IngressListener, ports: readonly WorkloadPort[], context: Context): PortPlan {
  const { proxy, scope } = context;
  const bindToPort = proxy.interception === "NONE" || listener.captureMode === CaptureMode.NONE;
  return {
    port: listener.port,
    servicePort: listener.port,
    hostname: ports.find(({ port }) => port === listener.port)?.hostname ?? "",
    protocol: parseProtocol(listener.protocol),
    // With a socket it leaves the loopback interface to the workload, which may listen there on the same port.
    bind: listener.bind || (bindToPort ? "" : (wildcardsOf(proxy.families)[0] ?? "")),
    bindToPort,
    endpoint: listener.defaultEndpoint,
    pool: listener.connectionPool ?? scope.inboundConnectionPool,
    tls: listener.tls,
  };
}
