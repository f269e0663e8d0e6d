import { z } from "zod";
import { metadata, objectName, portNumber } from "./metadata.ts";

/** The label by which an EndpointSlice names its Service (discovery.k8s.io/v1). */
export const serviceNameLabel = "kubernetes.io/service-name";

const endpoint = z.looseObject({
  addresses: z.array(z.string()).min(1),
  conditions: z
    .looseObject({
      /** Unset is to be read as true (discovery.k8s.io/v1, EndpointConditions). */
      ready: z.boolean().nullish(),
      serving: z.boolean().nullish(),
      terminating: z.boolean().nullish(),
    })
    .default({}),
  nodeName: z.string().optional(),
  targetRef: z.looseObject({ kind: z.string(), name: objectName, namespace: objectName.optional() }).optional(),
});

/** discovery.k8s.io/v1 EndpointSlice: what we read of it. */
export const endpointSliceSchema = z
  .looseObject({
    apiVersion: z.literal("discovery.k8s.io/v1"),
    kind: z.literal("EndpointSlice"),
    metadata,
    addressType: z.enum(["IPv4", "IPv6", "FQDN"]),
    endpoints: z.array(endpoint).nullish().transform((list) => list ?? []),
    ports: z
      .array(
        z.looseObject({
          name: z.string().default(""),
          port: portNumber.optional(),
          protocol: z.enum(["TCP", "UDP", "SCTP"]).default("TCP"),
        }),
      )
      .nullish()
      .transform((list) => list ?? []),
  })
  .superRefine((slice, context) => {
    const schema = { IPv4: z.ipv4(), IPv6: z.ipv6(), FQDN: z.string() }[slice.addressType];
    slice.endpoints.forEach(({ addresses }, i) => {
      addresses.forEach((address, j) => {
        if (schema.safeParse(address).success) return;
        context.addIssue({
          code: "custom",
          path: ["endpoints", i, "addresses", j],
          message: `"${address}" is no ${slice.addressType} address`,
        });
      });
    });
  });

export type EndpointSlice = z.output<typeof endpointSliceSchema>;
