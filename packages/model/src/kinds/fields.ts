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
  // kubectl create --dry-run writes null.
  creationTimestamp: z.string().nullish(),
  labels: stringMap.nullish(),
  annotations: stringMap.nullish(),
});

/** What protobuf's int32 holds. */
export const maximumInt32 = 2_147_483_647;

/** Protobuf's Duration ends here: 10,000 years. */
const maximumDurationMs = 315_576_000_000_000n;

/** Protobuf's Duration as JSON, and Go's: "1.5s", "1h2m3s", "200ms". */
export const duration = z
  .string()
  .max(100)
  .regex(/^(\d+(\.\d+)?(h|ms|m|us|µs|ns|s))+$/, 'is not a duration such as "1.5s", "200ms" or "1m30s"')
  .refine((text) => durationMs(text) <= maximumDurationMs, "is longer than 10,000 years");

const milliseconds: Record<string, number> = {
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};

/** Whole milliseconds of what `duration` takes; what is shorter than one counts as one. */
export function durationMs(text: string): bigint {
  const sum = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|us|µs|ns|s)/g)].reduce(
    (total, [, number, unit]) => total + Number(number) * (milliseconds[unit ?? ""] ?? 0),
    0,
  );
  if (!Number.isFinite(sum)) return maximumDurationMs + 1n;
  return BigInt(sum > 0 && sum < 1 ? 1 : Math.round(sum));
}
