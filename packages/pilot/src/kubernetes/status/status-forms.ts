import { z } from "zod";
import type { GatewayApiState } from "./gateway-api-state.ts";
import { type Condition, conditionsOf, say, yes } from "./verdict.ts";

/** How the status of one kind is read and written; of others' entries nothing changes. */
export interface StatusForm {
  readonly plural: "httproutes" | "gateways" | "gatewayclasses";
  readonly namespaced: boolean;
  /**
   * The status as it should be.
   * @param name "namespace/name", or "name"
   * @returns undefined if what stands there is right, or is not ours to say
   */
  next(name: string, found: FoundObject, state: GatewayApiState, place: StatusPlace): object | undefined;
}

export interface StatusPlace {
  /** Ours among controllers: "istio.io/gateway-controller". */
  readonly controller: string;
  /** RFC 3339. */
  readonly now: string;
}

const condition = z.looseObject({
  type: z.string(),
  status: z.string(),
  reason: z.string(),
  message: z.string(),
  observedGeneration: z.number().optional(),
  lastTransitionTime: z.string(),
});
const conditions = z.array(condition).default([]);

/** Of an object, what a status is about and what it says. */
export const foundObject = z.looseObject({
  metadata: z.looseObject({ generation: z.number().default(1) }),
  spec: z.looseObject({ controllerName: z.string().optional() }).default({}),
  status: z
    .looseObject({
      conditions,
      parents: z
        .array(z.looseObject({ parentRef: z.looseObject({}), controllerName: z.string(), conditions }))
        .default([]),
      listeners: z
        .array(z.looseObject({ name: z.string(), attachedRoutes: z.number(), conditions }))
        .default([]),
    })
    .prefault({}),
});
export type FoundObject = z.output<typeof foundObject>;

const group = "gateway.networking.k8s.io";

const routes: StatusForm = {
  plural: "httproutes",
  namespaced: true,
  next: (name, { metadata: { generation }, status }, state, { controller, now }) => {
    const wanted = state.route(name);
    if (wanted === undefined) return undefined;
    const own = status.parents.filter(({ controllerName }) => controllerName === controller);
    const oldOf = (ref: object): (typeof own)[number] | undefined =>
      own.find(({ parentRef }) => sameReference(parentRef, ref));
    const isRight =
      own.length === wanted.length &&
      wanted.every(({ parentRef, verdicts }) =>
        say(oldOf(parentRef)?.conditions ?? [], verdicts, generation),
      );
    if (isRight) return undefined;
    const fresh = wanted.map(({ parentRef, verdicts }) => ({
      parentRef,
      controllerName: controller,
      conditions: conditionsOf(verdicts, generation, oldOf(parentRef)?.conditions ?? [], now),
    }));
    const others = status.parents.filter(({ controllerName }) => controllerName !== controller);
    return { ...status, conditions: undefined, listeners: undefined, parents: [...others, ...fresh] };
  },
};

const gateways: StatusForm = {
  plural: "gateways",
  namespaced: true,
  next: (name, { metadata: { generation }, status }, state, { now }) => {
    const wanted = state.gateway(name);
    if (wanted === undefined) return undefined;
    const oldOf = (listener: string): readonly Condition[] =>
      status.listeners.find((one) => one.name === listener)?.conditions ?? [];
    const attached = (listeners: readonly { name: string; attachedRoutes: number }[]): string =>
      listeners.map((listener) => `${listener.name} ${listener.attachedRoutes}`).join();
    const isRight =
      say(status.conditions, wanted.verdicts, generation) &&
      attached(status.listeners) === attached(wanted.listeners) &&
      wanted.listeners.every((one) => say(oldOf(one.name), one.verdicts, generation));
    if (isRight) return undefined;
    const listeners = wanted.listeners.map(({ name: own, attachedRoutes, servesHttp, verdicts }) => ({
      name: own,
      attachedRoutes,
      supportedKinds: servesHttp ? [{ group, kind: "HTTPRoute" }] : [],
      conditions: conditionsOf(verdicts, generation, oldOf(own), now),
    }));
    const own = conditionsOf(wanted.verdicts, generation, status.conditions, now);
    return { ...status, parents: undefined, conditions: own, listeners };
  },
};

const classes: StatusForm = {
  plural: "gatewayclasses",
  namespaced: false,
  next: (_, { metadata: { generation }, spec, status }, __, { controller, now }) => {
    if (spec.controllerName !== controller) return undefined;
    const verdicts = [yes("Accepted", "Accepted", "Handled by Istio controller")];
    if (say(status.conditions, verdicts, generation)) return undefined;
    const own = conditionsOf(verdicts, generation, status.conditions, now);
    return { ...status, parents: undefined, listeners: undefined, conditions: own };
  },
};

/** Kinds whose status is written. */
export const statusForms: readonly StatusForm[] = [classes, gateways, routes];

/** Fields that are left out, and those that say the default, mean the same. */
const referenceDefaults = { group, kind: "Gateway" };

function sameReference(a: object, b: object): boolean {
  const [one, other] = [a, b].map((ref): Record<string, unknown> => ({ ...referenceDefaults, ...ref }));
  const fields = ["group", "kind", "namespace", "name", "sectionName", "port"];
  return fields.every((field) => (one?.[field] ?? "") === (other?.[field] ?? ""));
}
