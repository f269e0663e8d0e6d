import type { Problem } from "./config-object.ts";
import type { Endpoint, Service } from "./model.ts";
import { sortEndpoints } from "./normalise/endpoints.ts";
import { mergeServices } from "./normalise/merge-services.ts";
import { byAge, byKey } from "./order.ts";
import type { Part, Speaker, Spoken, SpokenChange } from "./speakers.ts";

/** What is said of one host, and who says it. */
interface Voice {
  readonly speaker: Speaker;
  readonly part: Part;
}

/** The service that a host is. */
export interface SpokenHost {
  readonly service: Service;
  readonly endpoints: readonly Endpoint[];
  readonly problems: readonly Problem[];
}

/** Makes one service of all that objects say of a host; a change costs the hosts that it is about. */
export class SpokenHosts {
  private readonly voices = new Map<string, readonly Voice[]>();
  private readonly troubled = new Map<string, readonly Problem[]>();

  /** @returns the hosts that what changed is about; undefined: nobody speaks of it any more */
  update(changes: ReadonlyMap<Speaker, SpokenChange>): ReadonlyMap<string, SpokenHost | undefined> {
    const hostnames = new Set<string>();
    for (const [speaker, { before, after }] of changes) {
      for (const hostname of hostsOf(before)) {
        const others = this.of(hostname).filter((voice) => voice.speaker !== speaker);
        this.voices.set(hostname, others);
        hostnames.add(hostname);
      }
      for (const part of after?.parts ?? []) {
        const { hostname } = part.service;
        this.voices.set(hostname, [...this.of(hostname), { speaker, part }]);
        hostnames.add(hostname);
      }
    }
    return new Map([...hostnames].map((hostname) => [hostname, this.resolve(hostname)]));
  }

  /** By hostname. */
  get problems(): Problem[] {
    return [...this.troubled].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, problems]) => problems);
  }

  private of(hostname: string): readonly Voice[] {
    return this.voices.get(hostname) ?? [];
  }

  private resolve(hostname: string): SpokenHost | undefined {
    const voices = this.of(hostname).toSorted((a, b) => bySpeaker(a.speaker, b.speaker));
    const host = hostOf(voices.map(({ part }) => part));
    if (host === undefined) this.voices.delete(hostname);
    if (host === undefined || host.problems.length === 0) this.troubled.delete(hostname);
    else this.troubled.set(hostname, host.problems);
    return host;
  }
}

function hostOf(parts: readonly Part[]): SpokenHost | undefined {
  const [first, ...others] = parts;
  if (first === undefined) return undefined;
  if (others.length === 0) return { ...first, problems: [] };
  const merged = mergeServices(parts.map(({ service }) => service));
  const counting = parts.filter(({ service }) => merged.parts.includes(service));
  const [only] = counting;
  const endpoints =
    counting.length === 1 && only !== undefined
      ? only.endpoints
      : sortEndpoints(counting.flatMap((part) => part.endpoints));
  return { service: merged.service, endpoints, problems: merged.problems };
}

const hostsOf = (spoken: Spoken | undefined): ReadonlySet<string> =>
  new Set(spoken?.parts.map(({ service }) => service.hostname));

const kinds: readonly Speaker["kind"][] = ["Service", "ServiceEntry", "EgressRule"];

/** The order in which objects count. */
export function bySpeaker(a: Speaker, b: Speaker): number {
  if (a.kind !== b.kind) return kinds.indexOf(a.kind) - kinds.indexOf(b.kind);
  return a.kind === "ServiceEntry" ? byAge(a, b) : byKey(a, b);
}
