import type { Mesh } from "@keelson/protos/proxy";
import { Authentications } from "./authentications.ts";
import type { Problem } from "./config-object.ts";
import { CredentialIndex, type Credentials } from "./credentials/credentials.ts";
import type { KnownObject } from "./kinds/index.ts";
import { ListMemo, type ObjectLists } from "./list-memo.ts";
import { defaultMesh } from "./mesh.ts";
import type { Model } from "./model.ts";
import { defaultDomain } from "./names.ts";
import { ObjectSet } from "./objects.ts";
import { Registry } from "./registry.ts";
import { Rules } from "./rules.ts";

export interface BuiltModel {
  readonly model: Model;
  readonly credentials: Credentials;
  /** In the order of the objects that have them. */
  readonly problems: readonly Problem[];
}

/**
 * Makes the model from the objects of all sources. Equal objects give an equal model; what did not change since the
 * last call is the same object again, so that who reads it can tell.
 */
export class ModelBuilder {
  private readonly objects = new ObjectSet();
  private readonly registry: Registry;
  private readonly rules: Rules;
  private readonly authentications = new Authentications();
  private readonly credentials = new CredentialIndex();
  /** What follows from rules alone. */
  private readonly ruled = new ListMemo<ReturnType<ModelBuilder["buildRules"]>>();
  private readonly defaults: Mesh;

  /** @param domain suffix of Kubernetes' service names */
  constructor(domain = defaultDomain) {
    this.registry = new Registry(domain);
    this.rules = new Rules(domain);
    this.defaults = defaultMesh(domain);
  }

  build(objects: readonly KnownObject[], mesh: Mesh = this.defaults): BuiltModel {
    this.objects.update(objects);
    const problems = this.objects.problems();
    const registered = this.registry.build(this.objects, mesh.trustDomain, problems);
    const { ruled, policies, peerAuthentications, ...beside } = this.ruled.of(this.objects, [mesh], (lists) =>
      this.buildRules(lists, mesh),
    );
    problems.push(...beside.problems);
    const endpoints = this.authentications.applied(registered.endpoints, policies, mesh);
    const model = { mesh, ...registered, endpoints, ...ruled, peerAuthentications };
    return { model, credentials: this.credentials.build(this.objects), problems };
  }

  private buildRules(objects: ObjectLists, mesh: Mesh) {
    const problems: Problem[] = [];
    const ruled = this.rules.build(objects, mesh, problems);
    const policies = this.authentications.build(objects, mesh, problems);
    const peerAuthentications = new Map(policies.map((policy) => [policy.name, policy]));
    return { ruled, policies, peerAuthentications, problems };
  }
}
