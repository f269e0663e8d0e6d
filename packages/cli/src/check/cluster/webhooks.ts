import { error, type Finding, ok, warning } from "@keelson/bpf-applier/finding";
import { z } from "zod";
import type { Cluster } from "./cluster.ts";

const configuration = z.object({
  metadata: z.object({ name: z.string() }),
  webhooks: z
    .array(
      z.object({
        name: z.string(),
        failurePolicy: z.string().optional(),
        clientConfig: z.object({
          service: z.object({ name: z.string(), namespace: z.string() }).optional(),
        }),
      }),
    )
    .optional(),
});
export type WebhookConfiguration = z.output<typeof configuration> & {
  readonly kind: "mutating" | "validating";
};

const serviceObject = z.object({ metadata: z.object({ name: z.string() }) });

/** Webhooks of Istio's, of both kinds. */
export async function webhooksFindings(cluster: Cluster): Promise<Finding[]> {
  const lists = await Promise.all(
    (["mutating", "validating"] as const).map(async (kind) => {
      const path = `/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations`;
      return (await cluster.list(path, configuration)).map((one) => ({ ...one, kind }));
    }),
  );
  const istios = lists
    .flat()
    .filter(({ metadata, webhooks = [] }) =>
      [metadata.name, ...webhooks.map(({ name }) => name)].some((name) => /istio/.test(name)),
    );
  const missing = new Set<string>();
  for (const service of new Set(istios.flatMap(servicesOf))) {
    const [namespace = "", name = ""] = service.split("/");
    if ((await cluster.get(`/api/v1/namespaces/${namespace}/services/${name}`, serviceObject)) === undefined)
      missing.add(service);
  }
  return judgeWebhooks(istios, missing);
}

const servicesOf = ({ webhooks = [] }: WebhookConfiguration): string[] =>
  webhooks.flatMap(({ clientConfig: { service } }) =>
    service === undefined ? [] : [`${service.namespace}/${service.name}`],
  );

/** @param missing services, as NAMESPACE/NAME, that webhooks call and nobody is behind */
export function judgeWebhooks(
  configurations: readonly WebhookConfiguration[],
  missing: ReadonlySet<string>,
): Finding[] {
  const check = "webhooks";
  if (configurations.length === 0) return [ok(check, "none of Istio's")];
  return configurations.map((one) => {
    const { name } = one.metadata;
    const services = [...new Set(servicesOf(one))];
    const gone = services.filter((service) => missing.has(service));
    const blocks = one.webhooks?.some(({ failurePolicy }) => failurePolicy !== "Ignore") === true;
    if (gone.length === 0) return judgeAnswered(one, services);
    const found = `${name} calls ${gone.join(", ")}, which is not there`;
    const advice = `kubectl delete it, if whoever answered is gone for good`;
    return blocks
      ? error(check, `${found}: what it is for is refused`, advice)
      : warning(check, found, advice);
  });
}

/** Rules are looked at by whoever is there; pods are changed by istiod only. */
function judgeAnswered(
  { kind, metadata: { name } }: WebhookConfiguration,
  services: readonly string[],
): Finding {
  const found = `${name} calls ${services.join(", ")}`;
  if (kind === "validating") return ok("webhooks", found);
  return warning(
    "webhooks",
    found,
    "Keelson injects no sidecars: where it takes istiod's place, remove this, or pods that ask for one are not made",
  );
}
