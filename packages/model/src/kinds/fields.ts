import { z } from "zod";

/** RFC 1123 subdomain: what Kubernetes takes as an object's name. */
const subdomain = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

/** RFC 1123 label: namespaces, and what Istio 0.2 calls services by. */
export const dnsLabel = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    "is not a DNS label (RFC 1123): at most 63 lower-case letters, digits and '-'",
  );

export const stringMap = z.record(z.string(), z.string());

export const portNumber = z.number().int().min(1).max(65535);

/** metadata of every Kubernetes object; what we do not read is dropped. */
export const metadata = z.object({
  name: z
    .string()
    .regex(subdomain, "is not a DNS subdomain (RFC 1123): lower-case letters, digits, '-' and '.'"),
  namespace: dnsLabel.optional(),
  uid: z.string().optional(),
  labels: stringMap.nullish(),
  annotations: stringMap.nullish(),
});

/** Protobuf's Duration as JSON, and Go's: "1.5s", "1h2m3s", "200ms". */
export const duration = z
  .string()
  .regex(/^(\d+(\.\d+)?(h|ms|m|us|µs|ns|s))+$/, 'is not a duration such as "1.5s", "200ms" or "1m30s"');
