import { z } from "zod";

/** networking.k8s.io IngressClass, as far as it is read: which controller takes the Ingresses that name it. */
export const ingressClass = z.object({
  spec: z.object({ controller: z.string().default("") }).prefault({}),
});

export type IngressClass = z.output<typeof ingressClass>;
