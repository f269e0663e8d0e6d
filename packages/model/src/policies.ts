import { objectKey, type Problem } from "./config-object.ts";
import type { ObjectLists } from "./list-memo.ts";
import { Memo } from "./memo.ts";
import type { PolicySource } from "./model.ts";
import { normaliseDestinationPolicy } from "./normalise/destination-policies.ts";
import { mergeDestinationRules, mergeKey, normaliseDestinationRule } from "./normalise/destination-rules.ts";
import { egressPolicy } from "./normalise/egress-rules.ts";
import type { Normalised } from "./normalise/normalised.ts";
import { byKey, bySelectorAndAge } from "./order.ts";

/** Makes traffic policies; remembers what it made of objects that did not change. */
export class Policies {
  private readonly domain: string;
  private readonly destinationRules = new Memo<PolicySource>();
  private readonly merged = new Memo<Normalised<PolicySource>>();
  private readonly legacy = new Memo<PolicySource | undefined>();

  constructor(domain: string) {
    this.domain = domain;
  }

  /** In the order in which they are asked: rules of today before those of Istio 0.2. */
  build(objects: ObjectLists, problems: Problem[]): PolicySource[] {
    const policies = [...this.ofDestinationRules(objects, problems), ...this.ofLegacyRules(objects)];
    for (const memo of [this.destinationRules, this.merged, this.legacy]) memo.endRound();
    return policies;
  }

  private ofDestinationRules(objects: ObjectLists, problems: Problem[]): PolicySource[] {
    const made = objects
      .of("DestinationRule", "networking.istio.io")
      .toSorted(bySelectorAndAge)
      .map((object) =>
        this.destinationRules.get(objectKey(object), [object], () =>
          normaliseDestinationRule(object, this.domain),
        ),
      );
    return [...Map.groupBy(made, mergeKey)].map(([key, sources]) => {
      const merged = this.merged.get(key, sources, () => mergeDestinationRules(sources));
      problems.push(...merged.problems);
      return merged.value;
    });
  }

  private ofLegacyRules(objects: ObjectLists): PolicySource[] {
    const policies = objects
      .of("DestinationPolicy", "config.istio.io")
      .toSorted(byKey)
      .map((object) =>
        this.legacy.get(objectKey(object), [object], () => normaliseDestinationPolicy(object, this.domain)),
      );
    const ofEgressRules = objects
      .of("EgressRule", "config.istio.io")
      .toSorted(byKey)
      .map((object) => this.legacy.get(objectKey(object), [object], () => egressPolicy(object)));
    return [...policies, ...ofEgressRules].filter((source) => source !== undefined);
  }
}
