import { z } from "zod";
import { dnsLabel, portNumber } from "./fields.ts";
import { gatewayHostname, objectName, sectionName } from "./gateway-api-fields.ts";
import { labels, status } from "./istio-fields.ts";
import { notCarried } from "./not-carried.ts";

const certificate = z.strictObject({
  group: z.string().default(""),
  kind: z.string().default("Secret"),
  namespace: dnsLabel.optional(),
  name: objectName,
});

const listener = z.strictObject({
  name: sectionName,
  hostname: gatewayHostname.optional(),
  port: portNumber,
  protocol: z.string().min(1),
  tls: z
    .strictObject({
      mode: z.enum(["Terminate", "Passthrough"]).default("Terminate"),
      certificateRefs: z.array(certificate).default([]),
      frontendValidation: notCarried(z.looseObject({})).optional(),
      options: z.record(z.string(), z.string()).default({}),
    })
    .optional(),
  allowedRoutes: z
    .strictObject({
      namespaces: z
        .strictObject({
          from: z.enum(["All", "Same", "Selector", "None"]).default("Same"),
          selector: z.looseObject({}).optional(),
        })
        .optional(),
      kinds: z
        .array(z.strictObject({ group: z.string().default("gateway.networking.k8s.io"), kind: z.string() }))
        .optional(),
    })
    .optional(),
});
export type GatewayListener = z.output<typeof listener>;

/** gateway.networking.k8s.io Gateway. */
export const gateway = z.strictObject({
  spec: z.strictObject({
    gatewayClassName: objectName,
    listeners: z.array(listener).default([]),
    addresses: z
      .array(z.strictObject({ type: z.string().default("IPAddress"), value: z.string().optional() }))
      .default([]),
    infrastructure: z
      .strictObject({
        labels: labels.optional(),
        annotations: z.record(z.string(), z.string()).optional(),
        parametersRef: z.looseObject({}).optional(),
      })
      .optional(),
    allowedListeners: notCarried(z.looseObject({})).optional(),
    defaultScope: notCarried(z.string()).optional(),
    tls: notCarried(z.looseObject({})).optional(),
  }),
  status,
});

export type Gateway = z.output<typeof gateway>;
