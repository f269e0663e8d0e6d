import { type ConfigObject, Memo, type Model, type Problem, problemOf, type Service } from "@keelson/model";
import { policyTypeUrls, type Resource, type ResourceSnapshot } from "@keelson/protos";
import { endpointSetResource, serviceResource, workloadResource } from "./encode.ts";
import { endpointSetName, endpointsOf, whyNoEndpoint } from "./endpoint-sets.ts";
import { explainService } from "./explain.ts";
import type { ServiceExplanation } from "./explanation.ts";
import { type ResolvedPort, resolvePort } from "./resolve-routes.ts";

export interface Compiled {
  /** Type URL → resource name → resource; equal models give equal bytes. */
  readonly resources: ResourceSnapshot["resources"];
  /** Rules that have no effect, or not all of it. */
  readonly problems: readonly Problem[];
  /** How it came to be, by hostname; made when asked for. */
  explain(hostname: string): ServiceExplanation | undefined;
}

/**
 * Makes the policy IR from a model. What comes out depends on the model alone; between calls it remembers only what it
 * made of parts that are still the same objects.
 */
export class Compiler {
  private readonly ports = new Memo<readonly ResolvedPort[]>();
  private readonly services = new Memo<Resource>();
  private readonly endpointSets = new Memo<Resource>();
  private readonly workloads = new Memo<Resource>();

  compile(model: Model): Compiled {
    const resolved = new Map<string, readonly ResolvedPort[]>();
    const services = new Map<string, Resource>();
    const endpointSets = new Map<string, Resource>();
    const problems: Problem[] = [];
    for (const service of model.services.values()) {
      const ports = this.resolve(model, service);
      resolved.set(service.hostname, ports);
      const names = ports.map((port) => this.addEndpointSets(model, port, endpointSets));
      services.set(
        service.hostname,
        this.services.get(service.hostname, [ports, ...names.flat()], () =>
          serviceResource(service, ports, names),
        ),
      );
      problems.push(...portProblems(model, ports));
    }
    const workloads = new Map<string, Resource>();
    for (const workload of model.workloads.values()) {
      workloads.set(
        workload.name,
        this.workloads.get(workload.name, [workload], () => workloadResource(workload)),
      );
    }
    for (const memo of [this.ports, this.services, this.endpointSets, this.workloads]) memo.endRound();
    return {
      resources: new Map([
        [policyTypeUrls.endpointSet, endpointSets],
        [policyTypeUrls.service, services],
        [policyTypeUrls.workload, workloads],
      ]),
      problems: [...problems, ...unknownHosts(model)],
      explain: (hostname) => {
        const service = model.services.get(hostname);
        return service && explainService(model, service, resolved.get(hostname) ?? []);
      },
    };
  }

  private resolve(model: Model, service: Service): readonly ResolvedPort[] {
    const routes = model.routes.get(service.hostname) ?? noRoutes;
    return this.ports.get(service.hostname, [service, routes], () =>
      service.ports.map((port) => resolvePort(service, port, routes)),
    );
  }

  /** @returns the names of the sets, by destination. */
  private addEndpointSets(
    model: Model,
    { port, destinations }: ResolvedPort,
    sets: Map<string, Resource>,
  ): string[] {
    return destinations.map((destination) => {
      const name = endpointSetName(model, destination, port);
      if (sets.has(name)) return name;
      const { hostname } = destination;
      const inputs = [model.services.get(hostname), model.endpoints.get(hostname), port];
      sets.set(
        name,
        this.endpointSets.get(name, inputs, () =>
          endpointSetResource(name, endpointsOf(model, destination, port)),
        ),
      );
      return name;
    });
  }
}

const noRoutes: readonly never[] = [];

/** One warning a rule and field, whatever the number of ports. */
function portProblems(model: Model, ports: readonly ResolvedPort[]): Problem[] {
  const problems = new Map<string, Problem>();
  const warn = (object: ConfigObject, path: readonly (string | number)[], message: string): void => {
    const problem = problemOf("warning", object, path, message);
    problems.set(`${problem.object} ${problem.field} ${message}`, problem);
  };
  for (const { port, rules, destinations } of ports) {
    for (const { route, state, why } of rules) {
      if (state === "not applied")
        warn(route.object, ["spec", "match"], `the rule is not applied: it ${why}`);
      if (state !== "partly applies") continue;
      for (const { field, what } of route.features) {
        warn(route.object, field.split("."), `${what}: has no effect yet, it needs the relay tier`);
      }
    }
    const chosen = rules.find(({ state }) => state === "applies" || state === "partly applies")?.route;
    destinations.forEach((destination, i) => {
      if (chosen?.destinations === undefined || destination.weight === 0) return;
      if (endpointsOf(model, destination, port).length > 0) return;
      const why = whyNoEndpoint(model, destination, port);
      warn(chosen.object, ["spec", "route", i], `${why}: connections to this destination are refused`);
    });
  }
  return [...problems.values()];
}

/** Rules for services that are not there. */
function unknownHosts(model: Model): Problem[] {
  return [...model.routes]
    .filter(([hostname]) => !model.services.has(hostname))
    .flatMap(([hostname, routes]) =>
      routes.map(({ object }) =>
        problemOf(
          "warning",
          object,
          ["spec", "destination"],
          `there is no service ${hostname}; the rule has no effect`,
        ),
      ),
    );
}
