import { Memo } from "@keelson/model";
import { formatLabels, type Resource } from "@keelson/protos";
import { type EndpointSet, EndpointSetSchema } from "@keelson/protos/policy";
import { endpointSetOf, endpointsOf, type ResolvedDestination, selectEndpoints } from "./destination.ts";
import { endpointSetMessage } from "./messages.ts";
import { nodeEndpointSet, resource } from "./resource.ts";
import type { Scene } from "./scene.ts";

type Labels = Readonly<Record<string, string>>;

const allEndpoints: Labels = {};

/** Makes endpoint sets; remembers those whose service and endpoints did not change. */
export class EndpointSets {
  private readonly messages = new Memo<EndpointSet>();
  private readonly resources = new Memo<Resource>();

  /** Of every port of every service: one for all of its endpoints, one for each choice of labels that a rule speaks of. */
  all(scene: Scene): Map<string, EndpointSet> {
    const sets = new Map<string, EndpointSet>();
    const routed = routedLabels(scene);
    for (const { hostname, ports } of scene.model.services.values()) {
      const endpoints = scene.endpoints(hostname);
      const choices = [
        allEndpoints,
        ...subsetLabels(scene, hostname),
        ...(routed.get(hostname)?.values() ?? []),
      ];
      for (const port of ports) {
        for (const labels of choices) {
          const name = endpointSetOf(hostname, port, labels);
          if (sets.has(name)) continue;
          const make = (): EndpointSet => endpointSetMessage(name, selectEndpoints(endpoints, port, labels));
          sets.set(name, this.messages.get(name, [endpoints, port], make));
        }
      }
    }
    return sets;
  }

  /** The set of a destination as nodes get it. @param sets those that there are; one that cannot exist is added, empty */
  forNodes(scene: Scene, destination: ResolvedDestination, sets: Map<string, EndpointSet>): Resource {
    const name = destination.endpointSet;
    const make = (): EndpointSet => endpointSetMessage(name, endpointsOf(scene, destination));
    const set = sets.get(name) ?? this.messages.get(name, [], make);
    sets.set(name, set);
    return this.resources.get(name, [set], () => resource(EndpointSetSchema, name, nodeEndpointSet(set)));
  }

  endRound(): void {
    this.messages.endRound();
    this.resources.endRound();
  }
}

const subsetLabels = (scene: Scene, hostname: string): Labels[] =>
  scene.policiesOf(hostname).flatMap(({ policy }) => policy.subsets.map(({ labels }) => labels));

/** Host → text of labels → labels that routes choose its endpoints by. */
function routedLabels(scene: Scene): Map<string, Map<string, Labels>> {
  const found = new Map<string, Map<string, Labels>>();
  for (const { table } of scene.model.routes.values()) {
    for (const { destinations } of [...table.http, ...table.tcp, ...table.tls]) {
      for (const { hostname: written, labels } of destinations) {
        const hostname = scene.canonical(written);
        const text = formatLabels(labels);
        const known = found.get(hostname);
        if (known === undefined) found.set(hostname, new Map([[text, labels]]));
        else known.set(text, labels);
      }
    }
  }
  return found;
}
