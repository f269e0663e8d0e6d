import type { Problem } from "./config-object.ts";
import { Derived } from "./derived.ts";
import { externalNamesIn } from "./external-name-map.ts";
import type { ServiceObject } from "./kinds/index.ts";
import type { Endpoint, ExternalName, Service, Workload } from "./model.ts";
import { aliasesByTarget } from "./normalise/aliases.ts";
import type { Normalised } from "./normalise/normalised.ts";
import type { ObjectSet } from "./objects.ts";
import { withChanges } from "./patched-map.ts";
import { Speakers } from "./speakers.ts";
import { bySpeaker, type SpokenHost, SpokenHosts } from "./spoken-hosts.ts";
import { WorkloadMap } from "./workload-map.ts";

/** Who is there to be called, and to call. */
export interface Registered {
  readonly services: ReadonlyMap<string, Service>;
  readonly externalNames: ReadonlyMap<string, ExternalName>;
  readonly endpoints: ReadonlyMap<string, readonly Endpoint[]>;
  readonly workloads: ReadonlyMap<string, Workload>;
}

type Aliases = ReadonlyMap<string, readonly string[]>;

/** Makes services, endpoints and workloads. A change costs the services that it is about. */
export class Registry {
  private readonly domain: string;
  private readonly speakers: Speakers;
  private readonly hosts = new SpokenHosts();
  /** Without their aliases. */
  private plain: ReadonlyMap<string, Service> = new Map();
  private services: ReadonlyMap<string, Service> = new Map();
  private endpoints: ReadonlyMap<string, readonly Endpoint[]> = new Map();
  private aliases: Aliases = new Map();
  /** What the aliases follow from, beside which hosts there are. */
  private aliasObjects: readonly ServiceObject[] | undefined;
  private spokenProblems: readonly Problem[] = [];
  private readonly workloads = new WorkloadMap();
  private readonly externalNames: Derived<
    readonly ServiceObject[],
    Normalised<ReadonlyMap<string, ExternalName>>
  >;

  constructor(domain: string) {
    this.domain = domain;
    this.speakers = new Speakers(domain);
    this.externalNames = new Derived(externalNamesIn(domain));
  }

  build(objects: ObjectSet, trustDomain: string, problems: Problem[]): Registered {
    const kubernetes = objects.of("Service", "");
    // First: whoever asks for a pod's workload then finds the one that is kept.
    const workloads = this.workloads.update(objects);
    const changes = this.speakers.update(objects, trustDomain);
    const hosts = this.hosts.update(changes);
    if (changes.size > 0) this.spokenProblems = this.findProblems();
    problems.push(...this.spokenProblems);
    this.endpoints = withChanges(
      this.endpoints,
      mapped(hosts, (host) => host?.endpoints),
    );
    this.updateServices(hosts, kubernetes);
    const externalNames = this.externalNames.of(kubernetes);
    problems.push(...externalNames.problems);
    return {
      services: this.services,
      endpoints: this.endpoints,
      externalNames: externalNames.value,
      workloads,
    };
  }

  /** In the order in which objects count, then by host. */
  private findProblems(): Problem[] {
    const ofSpeakers = [...this.speakers.problems].sort(([a], [b]) => bySpeaker(a, b));
    return [...ofSpeakers.flatMap(([, problems]) => problems), ...this.hosts.problems];
  }

  private updateServices(
    hosts: ReadonlyMap<string, SpokenHost | undefined>,
    kubernetes: readonly ServiceObject[],
  ): void {
    const before = this.plain;
    this.plain = withChanges(
      before,
      mapped(hosts, (host) => host?.service),
    );
    const changed = new Set(hosts.keys());
    const sameHosts = [...changed].every((hostname) => before.has(hostname) === this.plain.has(hostname));
    if (!sameHosts || this.aliasObjects !== kubernetes) {
      for (const hostname of this.updateAliases(kubernetes)) changed.add(hostname);
    }
    const now = new Map([...changed].map((hostname) => [hostname, this.named(hostname)]));
    this.services = withChanges(this.services, now);
  }

  /** @returns hosts that have other aliases now */
  private updateAliases(kubernetes: readonly ServiceObject[]): string[] {
    const before = this.aliases;
    const now = aliasesByTarget(kubernetes, (hostname) => this.plain.has(hostname), this.domain);
    this.aliases = now;
    this.aliasObjects = kubernetes;
    return [...new Set([...before.keys(), ...now.keys()])].filter(
      (hostname) => before.get(hostname)?.join() !== now.get(hostname)?.join(),
    );
  }

  private named(hostname: string): Service | undefined {
    const service = this.plain.get(hostname);
    const aliases = this.aliases.get(hostname);
    return service === undefined || aliases === undefined ? service : { ...service, aliases };
  }
}

const mapped = <From, To>(map: ReadonlyMap<string, From>, to: (value: From) => To): Map<string, To> =>
  new Map([...map].map(([key, value]) => [key, to(value)]));
