import { Derived, type Model, type Problem } from "@keelson/model";
import { type PolicyIr, policyTypeUrls, type ResourceSnapshot } from "@keelson/protos";
import type { EndpointSet } from "@keelson/protos/policy";
import { type CompiledService, compileService } from "./compile-service.ts";
import { explainService } from "./explain.ts";
import type { ServiceExplanation } from "./explanation.ts";
import { compileExternalNames } from "./external-names.ts";
import { NodeResources } from "./node-resources.ts";
import { unknownHosts } from "./problems.ts";
import { referenceProblems } from "./references.ts";
import { Scene } from "./scene.ts";
import { compileWorkloads } from "./workloads.ts";

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

/**
 * Makes the policy IR from a model. What comes out depends on the model alone; between calls it remembers only what it
 * made of parts that are still the same objects.
 */
export class Compiler {
  private readonly workloads = new Derived(compileWorkloads);
  private readonly externalNames = new Derived(compileExternalNames);
  private readonly nodeResources = new NodeResources();
  private before:
    | { readonly model: Model; readonly services: ReadonlyMap<string, CompiledService> }
    | undefined;

  compile(model: Model): Compiled {
    const scene = new Scene(model);
    const services = this.services(scene);
    const compiled = [...services.values()];
    const workloads = this.workloads.of(model.workloads);
    const endpointSets = new Map<string, EndpointSet>();
    for (const { sets } of compiled) for (const set of sets) endpointSets.set(set.name, set);
    const resources = this.nodeResources.of(compiled, endpointSets);
    this.before = { model, services };
    const problems = [...compiled.flatMap((service) => service.problems.value), ...unknownHosts(model)];
    return {
      ir: {
        mesh: model.mesh,
        services: new Map(compiled.map(({ message: { value } }) => [value.hostname, value])),
        externalNames: this.externalNames.of(model.externalNames),
        endpointSets,
        workloads: workloads.messages,
        routeTables: new Map([...model.routes].map(([name, { table }]) => [name, table])),
        hostPolicies: new Map([...model.policies].map(([name, { policy }]) => [name, policy])),
        gateways: model.gateways,
        sidecarScopes: model.sidecarScopes,
        peerAuthentications: model.peerAuthentications,
        extensions: model.extensions,
      },
      resources: new Map([...resources, [policyTypeUrls.workload, workloads.resources]]),
      problems: [...problems, ...referenceProblems(scene, problems)],
      explain: (hostname) => {
        const service = model.services.get(hostname);
        return service && explainService(scene, service, services.get(hostname)?.ports.value ?? []);
      },
    };
  }

  /** Of services by themselves, only those are looked at that are others, or have other endpoints, than before. */
  private services(scene: Scene): Map<string, CompiledService> {
    const { model } = scene;
    const { before } = this;
    const sameRules = before !== undefined && hasSameRules(before.model, model);
    const services = new Map<string, CompiledService>();
    for (const [hostname, service] of model.services) {
      const known = before?.services.get(hostname);
      const isRight =
        sameRules &&
        known?.isAlone === true &&
        known.service === service &&
        known.endpoints === scene.endpoints(hostname);
      services.set(hostname, isRight ? known : compileService(scene, service, known));
    }
    return services;
  }
}

const hasSameRules = (a: Model, b: Model): boolean =>
  a.mesh === b.mesh && sameValues(a.routes, b.routes) && sameValues(a.policies, b.policies);

function sameValues<Value>(a: ReadonlyMap<string, Value>, b: ReadonlyMap<string, Value>): boolean {
  if (a.size !== b.size) return false;
  const others = b.values();
  for (const value of a.values()) if (value !== others.next().value) return false;
  return true;
}
