import { z } from "zod";
import type { Admission, AdmissionRequest } from "./admission-review.ts";

/** On a pod, as label or annotation: whether it is to have a sidecar; the label goes first. */
const injectKey = "sidecar.istio.io/inject";

/** Written by an injector that has been there. */
const statusKey = "sidecar.istio.io/status";

/** Of {@link injectKey}, as istiod reads them; anything else but nothing means no. */
const yes: ReadonlySet<string | undefined> = new Set([undefined, "", "y", "yes", "true", "on"]);

/** Where istiod injects nothing. */
const leftAlone: ReadonlySet<string> = new Set([
  "kube-system",
  "kube-public",
  "kube-node-lease",
  "local-path-storage",
]);

const texts = z.record(z.string(), z.string()).default({});
const container = z.looseObject({ name: z.string().default(""), image: z.string().default("") });
const podSchema = z.looseObject({
  metadata: z.looseObject({ labels: texts, annotations: texts }),
  spec: z.looseObject({
    hostNetwork: z.boolean().default(false),
    containers: z.array(container).default([]),
    initContainers: z.array(container).default([]),
  }),
});

const notInjected =
  "no sidecar was injected: this control plane injects none. The pod's connections are decided in the kernel of its node, if that has the agent, and else are left as they are";

/**
 * Lets a pod be made as it is. There is no injector here, and an API server that gets no answer would refuse the pod; who
 * makes one that should have had a sidecar is told so.
 */
export function injectNothing({ kind, namespace, object }: AdmissionRequest): Admission {
  const { data: pod } = podSchema.safeParse(object);
  if (kind.kind !== "Pod" || pod === undefined || leftAlone.has(namespace) || !wantsSidecar(pod))
    return { allowed: true, warnings: [] };
  const { containers, initContainers } = pod.spec;
  const unfinished = [...initContainers, ...containers].filter(({ image }) => image === "auto");
  return { allowed: true, warnings: [notInjected, ...unfinished.map(({ name }) => cannotStart(name))] };
}

function wantsSidecar({ metadata: { labels, annotations }, spec }: z.output<typeof podSchema>): boolean {
  if (spec.hostNetwork || annotations[statusKey] !== undefined) return false;
  return yes.has(labels[injectKey] ?? annotations[injectKey]);
}

/** As gateways are written: the injector says which image. */
const cannotStart = (name: string): string =>
  `container "${name.slice(0, 63)}" has the image "auto", for an injector to fill in: it cannot start`;
