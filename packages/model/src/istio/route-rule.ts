import { z } from "zod";
import { metadata } from "../kubernetes/metadata.ts";

const labelKey = /^([a-z0-9A-Z]([-a-z0-9A-Z.]*[a-z0-9A-Z])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/** Pod labels that select a subset (Kubernetes' syntax of label keys and values). */
const subsetLabels = z.record(
  z.string().regex(labelKey, "is no valid label key"),
  z.string().regex(labelValue, "is no valid label value"),
);

const dnsLabel = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "must be a DNS label (RFC 1123)");

/** IstioService of v1alpha2: `service` is a full hostname and stands instead of name, namespace and domain. */
const istioService = z
  .strictObject({
    name: dnsLabel.optional(),
    namespace: dnsLabel.optional(),
    domain: z.string().optional(),
    service: z.string().optional(),
    labels: subsetLabels.optional(),
  })
  .refine((value) => (value.name === undefined) !== (value.service === undefined), {
    message: 'needs either "name" or "service"',
  });

const stringMatch = z
  .strictObject({ exact: z.string().optional(), prefix: z.string().optional(), regex: z.string().optional() })
  .refine((value) => Object.values(value).filter((v) => v !== undefined).length === 1, {
    message: 'needs exactly one of "exact", "prefix" and "regex"',
  });

const match = z.strictObject({
  source: istioService.optional(),
  request: z.strictObject({ headers: z.record(z.string(), stringMatch) }).optional(),
  tcp: z.looseObject({}).optional(),
  udp: z.looseObject({}).optional(),
});

const destinationWeight = z.strictObject({
  destination: istioService.optional(),
  labels: subsetLabels.optional(),
  weight: z.int().min(0).max(100).optional(),
});

/** A field whose meaning needs a decision per request; its content is checked when the tier that carries it reads it. */
const perRequest = z.looseObject({}).optional();

const spec = z
  .strictObject({
    destination: istioService,
    precedence: z.int().min(0).default(0),
    match: match.optional(),
    route: z.array(destinationWeight).default([]),
    redirect: perRequest,
    rewrite: perRequest,
    websocketUpgrade: z.boolean().optional(),
    httpReqTimeout: perRequest,
    httpReqRetries: perRequest,
    httpFault: perRequest,
    l4Fault: perRequest,
    mirror: perRequest,
    corsPolicy: perRequest,
    appendHeaders: z.record(z.string(), z.string()).optional(),
  })
  .superRefine(({ route }, context) => {
    if (route.length < 2) return;
    const sum = route.reduce((total, { weight }) => total + (weight ?? 0), 0);
    if (sum === 100) return;
    context.addIssue({ code: "custom", path: ["route"], message: `weights add up to ${sum}; they must add up to 100` });
  });

/** config.istio.io/v1alpha2 RouteRule, as Istio 0.2 has it. A field that it does not have is an error. */
export const routeRuleSchema = z.strictObject({
  apiVersion: z.literal("config.istio.io/v1alpha2"),
  kind: z.literal("RouteRule"),
  metadata,
  spec,
});

export type RouteRule = z.output<typeof routeRuleSchema>;
export type IstioService = z.output<typeof istioService>;
