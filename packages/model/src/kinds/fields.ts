import { z } from "zod";

/** RFC 1123 subdomain: what Kubernetes takes as an object's name. */
const subdomain = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

export const stringMap = z.record(z.string(), z.string());

export const portNumber = z.number().int().min(1).max(65535);

/** metadata of every Kubernetes object; what we do not read is dropped. */
export const metadata = z.object({
  name: z
    .string()
    .regex(subdomain, "is not a DNS subdomain (RFC 1123): lower-case letters, digits, '-' and '.'"),
  namespace: z.string().regex(subdomain, "is not a DNS label (RFC 1123)").optional(),
  uid: z.string().optional(),
  labels: stringMap.nullish(),
  annotations: stringMap.nullish(),
});

/** Protobuf's Duration as JSON, and Go's: "1.5s", "1h2m3s", "200ms". */
export const duration = z
  .string()
  .regex(/^(\d+(\.\d+)?(h|ms|m|us|µs|ns|s))+$/, 'is not a duration such as "1.5s", "200ms" or "1m30s"');

const milliseconds: Record<string, number> = {
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};

/** Milliseconds of what `duration` takes. */
export function durationMs(text: string): number {
  return [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|us|µs|ns|s)/g)].reduce(
    (sum, [, number, unit]) => sum + Number(number) * (milliseconds[unit ?? ""] ?? 0),
    0,
  );
}
