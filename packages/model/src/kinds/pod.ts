import { z } from "zod";

/** Kubernetes core/v1 Pod, as far as it is read. */
export const pod = z.object({
  spec: z
    .object({
      nodeName: z.string().default(""),
      serviceAccountName: z.string().default("default"),
      hostNetwork: z.boolean().default(false),
    })
    .prefault({}),
  status: z
    .object({
      phase: z.string().optional(),
      podIP: z.string().optional(),
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).nullish(),
      podIPs: z.array(z.object({ ip: z.string() })).nullish(),
    })
    .prefault({}),
});

export type Pod = z.output<typeof pod>;
