import { z } from "zod";
import { dnsLabel, portNumber } from "./fields.ts";
import { hostname } from "./istio-fields.ts";

// Fields that several kinds of the Gateway API share (gateway.networking.k8s.io).

/** RFC 1123 subdomain. */
export const objectName = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, "is not an object's name (RFC 1123)");

export const sectionName = objectName;

/** A name, or one whose first label is "*". */
export const gatewayHostname = z
  .string()
  .refine(
    (text) => hostname.safeParse(text.startsWith("*.") ? text.slice(2) : text).success,
    'is not a host, nor one such as "*.example.com"',
  );

export const parentReference = z.strictObject({
  group: z.string().default("gateway.networking.k8s.io"),
  kind: z.string().default("Gateway"),
  namespace: dnsLabel.optional(),
  name: objectName,
  sectionName: sectionName.optional(),
  port: portNumber.optional(),
});
export type ParentReference = z.output<typeof parentReference>;

export const backendReference = z.strictObject({
  group: z.string().default(""),
  kind: z.string().default("Service"),
  namespace: dnsLabel.optional(),
  name: z.string().min(1),
  port: portNumber.optional(),
});
export type BackendReference = z.output<typeof backendReference>;
