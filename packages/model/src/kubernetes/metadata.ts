import { z } from "zod";
import { defaultNamespace } from "../names.ts";

/** RFC 1123 subdomain, as Kubernetes names most objects. */
export const objectName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be lower-case letters, digits, "-" or "." (RFC 1123)');

export const labels = z.record(z.string(), z.string()).default({});

/** The part of metadata that we read (k8s.io/apimachinery ObjectMeta). */
export const metadata = z.looseObject({
  name: objectName,
  namespace: objectName.default(defaultNamespace),
  labels,
  uid: z.string().default(""),
});

export const portNumber = z.int().min(1).max(65_535);
export const ipAddress = z.union([z.ipv4(), z.ipv6()]);
