import { Derived, Memo, type Model, type Problem, type Service } from "@keelson/model";
import { type PolicyIr, policyTypeUrls, type Resource, type ResourceSnapshot } from "@keelson/protos";
import { type Service as ServiceMessage, ServiceSchema } from "@keelson/protos/policy";
import type { RouteTable } from "@keelson/protos/route";
import { EndpointSets } from "./endpoint-sets.ts";
import { explainService } from "./explain.ts";
import type { ServiceExplanation } from "./explanation.ts";
import { compileExternalNames } from "./external-names.ts";
import { accountsOf } from "./identities.ts";
import { isForNodes } from "./left-alone.ts";
import { serviceMessage } from "./messages.ts";
import { serviceProblems, unknownHosts } from "./problems.ts";
import { referenceProblems } from "./references.ts";
import { type ResolvedPort, resolvePort } from "./resolve-routes.ts";
import { resource } from "./resource.ts";
import { Scene } from "./scene.ts";
import { type CompiledWorkloads, compileWorkloads } from "./workloads.ts";

export interface Compiled {
  /** All of the policy as messages: what proxies are served from. */
  readonly ir: PolicyIr;
  /** What nodes get: type URL → resource name → resource; equal models give equal bytes. */
  readonly resources: ResourceSnapshot["resources"];
  /** Rules that have no effect, or not all of it. */
  readonly problems: readonly Problem[];
  /** How it came to be, by hostname; made when asked for. */
  explain(hostname: string): ServiceExplanation | undefined;
}

/** What became of one service. */
interface CompiledService {
  readonly ports: readonly ResolvedPort[];
  readonly message: ServiceMessage;
  readonly problems: readonly Problem[];
}

/**
 * Makes the policy IR from a model. What comes out depends on the model alone; between calls it remembers only what it
 * made of parts that are still the same objects.
 */
export class Compiler {
  private readonly ports = new Memo<readonly ResolvedPort[]>();
  private readonly services = new Memo<ServiceMessage>();
  private readonly problems = new Memo<readonly Problem[]>();
  private readonly workloads = new Derived(compileWorkloads);
  private readonly externalNames = new Derived(compileExternalNames);
  private readonly endpointSets = new EndpointSets();
  private readonly serviceResources = new Memo<Resource>();

  compile(model: Model): Compiled {
    const scene = new Scene(model);
    const services = new Map(
      [...model.services].map(([hostname, service]) => [hostname, this.service(scene, service)]),
    );
    const workloads = this.workloads.of(model.workloads);
    const endpointSets = this.endpointSets.all(scene);
    const resources = this.nodeResources(scene, services, workloads, endpointSets);
    this.endRound();
    const compiled = [...services.values()];
    const problems = [...compiled.flatMap((service) => service.problems), ...unknownHosts(model)];
    return {
      ir: {
        mesh: model.mesh,
        services: new Map(compiled.map(({ message }) => [message.hostname, message])),
        externalNames: this.externalNames.of(model.externalNames),
        endpointSets,
        workloads: workloads.messages,
        routeTables: new Map([...model.routes].map(([name, { table }]) => [name, table])),
        hostPolicies: new Map([...model.policies].map(([name, { policy }]) => [name, policy])),
        gateways: model.gateways,
        sidecarScopes: model.sidecarScopes,
      },
      resources,
      problems: [...problems, ...referenceProblems(scene, problems)],
      explain: (hostname) => {
        const service = model.services.get(hostname);
        return service && explainService(scene, service, services.get(hostname)?.ports ?? []);
      },
    };
  }

  private service(scene: Scene, service: Service): CompiledService {
    const { hostname } = service;
    const tables = scene.tablesOf(hostname);
    const hostnames = [
      ...new Set([
        hostname,
        ...tables.flatMap(({ table }) => routedHosts(table).map((host) => scene.canonical(host))),
      ]),
    ];
    const { rootNamespace, trustDomain } = scene.model.mesh;
    const around = hostnames.flatMap((host) => [scene.service(host), ...scene.policiesOf(host)]);
    const ports = this.ports.get(hostname, [service, rootNamespace, ...tables, ...around], () =>
      service.ports.map((port) => resolvePort(scene, service, port)),
    );
    const accounts = accountsOf(scene.endpoints(hostname), trustDomain);
    const message = this.services.get(hostname, [service, ports, accounts], () =>
      serviceMessage(service, ports, accounts),
    );
    const behind = hostnames.map((host) => scene.endpoints(host));
    const problems = this.problems.get(hostname, [ports, ...behind], () => serviceProblems(scene, ports));
    return { ports, message, problems };
  }

  /** @param sets takes those of destinations that do not exist, too */
  private nodeResources(
    scene: Scene,
    services: ReadonlyMap<string, CompiledService>,
    workloads: CompiledWorkloads,
    sets: Parameters<EndpointSets["forNodes"]>[2],
  ): ResourceSnapshot["resources"] {
    const nodeSets = new Map<string, Resource>();
    const nodeServices = new Map<string, Resource>();
    for (const service of scene.model.services.values()) {
      const compiled = services.get(service.hostname);
      if (compiled === undefined || !isForNodes(service)) continue;
      const { message, ports } = compiled;
      const encode = (): Resource => resource(ServiceSchema, message.hostname, message);
      nodeServices.set(message.hostname, this.serviceResources.get(message.hostname, [message], encode));
      for (const destination of ports.flatMap((port) => port.destinations)) {
        nodeSets.set(destination.endpointSet, this.endpointSets.forNodes(scene, destination, sets));
      }
    }
    return new Map([
      [policyTypeUrls.endpointSet, nodeSets],
      [policyTypeUrls.service, nodeServices],
      [policyTypeUrls.workload, workloads.resources],
    ]);
  }

  private endRound(): void {
    this.endpointSets.endRound();
    for (const memo of [this.ports, this.services, this.problems]) memo.endRound();
    this.serviceResources.endRound();
  }
}

const routedHosts = ({ http, tcp, tls }: RouteTable): string[] =>
  [...http, ...tcp, ...tls].flatMap(({ destinations }) => destinations.map(({ hostname }) => hostname));
