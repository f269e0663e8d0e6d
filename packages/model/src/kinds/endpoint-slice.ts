import { z } from "zod";
import { portNumber } from "./fields.ts";

const conditions = z.object({
  ready: z.boolean().nullish(),
  serving: z.boolean().nullish(),
  terminating: z.boolean().nullish(),
});

const endpoint = z.object({
  addresses: z.array(z.string()).min(1),
  conditions: conditions.nullish(),
  nodeName: z.string().optional(),
  targetRef: z
    .object({ kind: z.string().optional(), name: z.string(), namespace: z.string().optional() })
    .optional(),
});

/** Kubernetes discovery.k8s.io/v1 EndpointSlice, as far as it is read. */
export const endpointSlice = z.object({
  addressType: z.enum(["IPv4", "IPv6", "FQDN"]),
  endpoints: z.array(endpoint).nullish(),
  ports: z
    .array(
      z.object({
        name: z.string().nullish(),
        port: portNumber.nullish(),
        protocol: z.enum(["TCP", "UDP", "SCTP"]).default("TCP"),
      }),
    )
    .nullish(),
});

export type EndpointSlice = z.output<typeof endpointSlice>;
