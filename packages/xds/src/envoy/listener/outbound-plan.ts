import { ApplicationProtocol as Protocol, Resolution, type ServicePort } from "@keelson/protos/policy";
import { CaptureMode } from "@keelson/protos/proxy";
import { formatAddress, loopbacksOf, spokenAddresses, wildcardsOf } from "../addresses.ts";
import type { Context } from "../context.ts";
import { listenerName, unboundSuffix, unixPrefix } from "../names.ts";
import { parseProtocol } from "../protocols.ts";
import type { Egress } from "../scope/scope.ts";
import type { ScopedService } from "../scope/scoped-service.ts";
import { type ChainPlan, type HttpTarget, matchAll, plainHttp } from "./chain-plan.ts";
import { connectionChains } from "./connection-chains.ts";
import { ListenerMerger, type ListenerPlan, listenerKind } from "./listener-merger.ts";

/** The listeners through which a sidecar's workload calls others, sorted by name. */
export function outboundPlans(context: Context): ListenerPlan[] {
  const merger = new ListenerMerger();
  for (const egress of context.scope.egress) {
    if (egress.port === 0) merger.lock();
    const builder = new EgressBuilder(egress, context, merger);
    for (const scoped of egress.services) builder.addService(scoped);
  }
  return merger.plans();
}

class EgressBuilder {
  private readonly egress: Egress;
  private readonly context: Context;
  private readonly merger: ListenerMerger;
  private readonly bindToPort: boolean;
  /** Empty: each service's own address, or the wildcard. */
  private readonly binds: readonly string[];

  constructor(egress: Egress, context: Context, merger: ListenerMerger) {
    this.egress = egress;
    this.context = context;
    this.merger = merger;
    const { interception, families } = context.proxy;
    this.bindToPort =
      interception === "NONE" ||
      egress.captureMode === CaptureMode.NONE ||
      egress.bind.startsWith(unixPrefix);
    const loopbacks = this.bindToPort ? loopbacksOf(families) : [];
    this.binds = egress.bind === "" ? loopbacks : [egress.bind];
  }

  addService(scoped: ScopedService): void {
    const { port, protocol, bind } = this.egress;
    // A listener for datagrams there is none, whatever a Sidecar calls the port.
    if (scoped.ports.every(({ applicationProtocol }) => applicationProtocol === Protocol.UDP)) return;
    if (port !== 0 || bind.startsWith(unixPrefix)) this.add(scoped, port, parseProtocol(protocol), protocol);
    else for (const servicePort of scoped.ports) this.addPort(scoped, servicePort);
  }

  private addPort(scoped: ScopedService, { port, applicationProtocol }: ServicePort): void {
    const { service } = scoped;
    const headless = service.resolution === Resolution.PASSTHROUGH && service.addresses.length === 0;
    if (!headless || this.binds.length > 0 || listenerKind(applicationProtocol) === "http") {
      this.add(scoped, port, applicationProtocol);
      return;
    }
    this.addHeadless(scoped, port, applicationProtocol);
  }

  /** Callers of a headless service dial its endpoints themselves: only they are led to its cluster. */
  private addHeadless(scoped: ScopedService, port: number, protocol: Protocol): void {
    const endpoints = this.context
      .endpointsOf(scoped.service, port)
      .filter(({ address }) => address.length > 0);
    if (endpoints.length === 0 && scoped.service.meshExternal) this.add(scoped, port, protocol);
    const addresses = [
      ...new Set(
        spokenAddresses(
          endpoints.map(({ address }) => address),
          this.context.proxy.families,
        ),
      ),
    ];
    if (listenerKind(protocol) === "auto") {
      // HTTP among the bytes is told by the inspector, which a chain with an address would come before.
      for (const address of addresses) this.add(scoped, port, protocol, "", [address]);
      return;
    }
    const wildcards = wildcardsOf(this.context.proxy.families);
    if (addresses.length > 0) this.add(scoped, port, protocol, "", wildcards, addresses);
  }

  private add(
    scoped: ScopedService,
    port: number,
    protocol: Protocol,
    written = "",
    givenBinds: readonly string[] = this.binds,
    prefixes: readonly string[] = [],
  ): void {
    const kind = listenerKind(protocol);
    const { families, unprivileged } = this.context.proxy;
    if (kind === undefined || (this.bindToPort && unprivileged && port < 1024 && port !== 0)) return;
    const wildcards = wildcardsOf(families);
    const binds = givenBinds.length > 0 ? givenBinds : kind === "http" ? wildcards : this.ownBinds(scoped);
    const [bind = ""] = binds;
    if (kind === "http" && !this.merger.wantsHttp(bind, port)) return;
    const forwardProxy = written === "HTTP_PROXY";
    const connections = (): ChainPlan[] =>
      connectionChains(
        {
          scoped,
          port,
          bind,
          bindToPort: this.bindToPort,
          prefixes,
          tables: this.egress.tables,
          context: this.context,
        },
        protocol,
      );
    const http = (): ChainPlan => this.httpChain(scoped, port, bind, kind, protocol, forwardProxy);
    const unbound = !this.bindToPort && this.egress.bind !== "";
    this.merger.add({
      name: `${listenerName(bind, port)}${unbound ? unboundSuffix : ""}`,
      binds,
      port,
      bindToPort: this.bindToPort,
      protocol,
      // With other bytes passed through beside it, an HTTP listener is one that looks what it gets.
      kind: kind === "http" && bind === wildcards[0] && !forwardProxy ? "auto" : kind,
      incoming: kind,
      chains: kind === "http" ? [http()] : kind === "tcp" ? connections() : [...connections(), http()],
    });
  }

  /** The service's addresses, or every address where it has none. */
  private ownBinds({ service }: ScopedService): readonly string[] {
    const { families } = this.context.proxy;
    const own = spokenAddresses(service.addresses, families);
    if (own.length > 0) return own;
    return service.addresses.length > 0 ? service.addresses.map(formatAddress) : wildcardsOf(families);
  }

  private httpChain(
    { service }: ScopedService,
    port: number,
    bind: string,
    kind: "http" | "auto" | "tcp",
    protocol: Protocol,
    forwardProxy: boolean,
  ): ChainPlan {
    const wildcard = wildcardsOf(this.context.proxy.families)[0];
    const shared = kind === "http" || bind === wildcard || this.bindToPort;
    const target: HttpTarget = {
      kind: "http",
      // A listener of one service's address has a route configuration of that service alone.
      routeName: port === 0 ? bind : shared ? `${port}` : `${service.hostname}:${port}`,
      grpcWeb: protocol === Protocol.GRPC_WEB,
      forwardProxy,
    };
    const inspected = !forwardProxy && (kind === "auto" || bind === wildcard);
    if (!inspected) return { match: matchAll, target };
    const match = {
      ...matchAll,
      applicationProtocols: plainHttp(this.context.proxy.http10),
      transportProtocol: "raw_buffer" as const,
    };
    return { match, target };
  }
}
