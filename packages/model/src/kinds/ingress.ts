import { z } from "zod";
import { portNumber } from "./fields.ts";
import { status, wildcardHostname } from "./istio-fields.ts";
import { notCarried } from "./not-carried.ts";

/** Of today (service), or of v1beta1 (serviceName and servicePort). */
const backend = z.strictObject({
  service: z
    .strictObject({
      name: z.string().min(1),
      port: z.strictObject({ number: portNumber.optional(), name: z.string().min(1).optional() }).default({}),
    })
    .optional(),
  serviceName: z.string().min(1).optional(),
  servicePort: z.union([portNumber, z.string().min(1)]).optional(),
  resource: notCarried(z.looseObject({})).optional(),
});
export type IngressBackend = z.output<typeof backend>;

const path = z.strictObject({
  path: z.string().default(""),
  pathType: z.enum(["Exact", "Prefix", "ImplementationSpecific"]).default("ImplementationSpecific"),
  backend,
});
export type IngressPath = z.output<typeof path>;

/** networking.k8s.io Ingress, v1 and v1beta1, and extensions/v1beta1, which Istio 0.2 read. */
export const ingress = z.strictObject({
  spec: z.strictObject({
    ingressClassName: z.string().optional(),
    defaultBackend: backend.optional(),
    backend: backend.optional(),
    tls: z
      .array(
        z.strictObject({ hosts: z.array(wildcardHostname).default([]), secretName: z.string().optional() }),
      )
      .default([]),
    rules: z
      .array(
        z.strictObject({
          host: wildcardHostname.or(z.literal("")).optional(),
          http: z.strictObject({ paths: z.array(path).default([]) }).optional(),
        }),
      )
      .default([]),
  }),
  status,
});

export type Ingress = z.output<typeof ingress>;
