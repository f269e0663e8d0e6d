import { Derived, type Model, type Problem } from "@keelson/model";
import { type PolicyIr, policyTypeUrls, type ResourceSnapshot } from "@keelson/protos";
import { changedServices } from "./changed-services.ts";
import { type CompiledServices, compileServices, recompileServices } from "./compile-services.ts";
import { explainService } from "./explain.ts";
import { type Explaining, finish } from "./explaining.ts";
import type { ServiceExplanation } from "./explanation.ts";
import { compileExternalNames } from "./external-names.ts";
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
  /** The same piece by piece, for who has others to serve meanwhile. */
  explaining(hostname: string): Explaining | undefined;
}

/**
 * Makes the policy IR from a model. What comes out depends on the model alone; between calls it remembers only what it
 * made of parts that are still the same objects.
 */
export class Compiler {
  private readonly workloads = new Derived(compileWorkloads);
  private readonly externalNames = new Derived(compileExternalNames);
  private readonly routeTables = new Derived(tablesOf);
  private readonly hostPolicies = new Derived(policiesOf);
  private before: Before | undefined;

  compile(model: Model): Compiled {
    const { scene, services, problems } = this.follow(model);
    this.before = { scene, services, problems };
    const workloads = this.workloads.of(model.workloads);
    const explaining = (hostname: string): Explaining | undefined => {
      const compiled = services.compiled.get(hostname);
      return compiled && explainService(scene, compiled.service, compiled.ports.value);
    };
    return {
      ir: {
        mesh: model.mesh,
        services: services.messages,
        externalNames: this.externalNames.of(model.externalNames),
        endpointSets: services.endpointSets,
        workloads: workloads.messages,
        routeTables: this.routeTables.of(model.routes),
        hostPolicies: this.hostPolicies.of(model.policies),
        gateways: model.gateways,
        sidecarScopes: model.sidecarScopes,
        peerAuthentications: model.peerAuthentications,
        extensions: model.extensions,
      },
      resources: new Map([
        [policyTypeUrls.endpointSet, services.forNodes.endpointSets],
        [policyTypeUrls.service, services.forNodes.services],
        [policyTypeUrls.workload, workloads.resources],
      ]),
      problems,
      explain: (hostname) => {
        const begun = explaining(hostname);
        return begun && finish(begun);
      },
      explaining,
    };
  }

  /** Of the last model, only what depends on services that are others is made again, if that is all that is. */
  private follow(model: Model): Before {
    const { before } = this;
    const changed = before && changedServices(before.scene.model, model);
    if (before !== undefined && changed !== undefined) {
      const scene = before.scene.withServicesOf(model);
      const services = recompileServices(scene, before.services, changed);
      if (services !== undefined) {
        const isSame = services.problems === before.services.problems;
        return { scene, services, problems: isSame ? before.problems : problemsOf(scene, services) };
      }
    }
    const scene = Scene.of(model);
    const services = compileServices(scene, before?.services);
    return { scene, services, problems: problemsOf(scene, services) };
  }
}

/** What became of the last model. */
interface Before {
  readonly scene: Scene;
  readonly services: CompiledServices;
  readonly problems: readonly Problem[];
}

function problemsOf(scene: Scene, services: CompiledServices): Problem[] {
  const problems = [...services.problems, ...unknownHosts(scene.model)];
  return [...problems, ...referenceProblems(scene, problems)];
}

const tablesOf = (routes: Model["routes"]): PolicyIr["routeTables"] =>
  new Map([...routes].map(([name, { table }]) => [name, table]));

const policiesOf = (policies: Model["policies"]): PolicyIr["hostPolicies"] =>
  new Map([...policies].map(([name, { policy }]) => [name, policy]));
