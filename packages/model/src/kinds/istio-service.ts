import { z } from "zod";
import { dnsLabel } from "./fields.ts";

/** What Istio 0.2 lets stand in labels; among others neither ",", "=" nor "|", which names of endpoint sets are made with. */
const labelText = z.string().regex(/^[-A-Za-z0-9_./]*$/, "may hold letters, digits and - _ . / only");
export const legacyLabels = z.record(labelText, labelText);

const name = "[a-z0-9]([a-z0-9-]*[a-z0-9])?";
const domain = z
  .string()
  .max(255)
  .regex(new RegExp(`^${name}(\\.${name})*$`), "is not a domain name");

/** Istio 0.2 takes "*", "*.example.com" and "*-a.example.com". */
const host = z
  .string()
  .max(255)
  .regex(new RegExp(`^(\\*|(\\*[.-])?${name}(\\.${name})*)$`), "is not a domain name");

/** Who is meant: istio.proxy.v1.config.IstioService of Istio 0.2. */
export const istioService = z.strictObject({
  name: dnsLabel.optional(),
  namespace: dnsLabel.optional(),
  domain: domain.optional(),
  /** A full hostname, instead of the three above. */
  service: host.optional(),
  labels: legacyLabels.optional(),
});
export type IstioService = z.output<typeof istioService>;
