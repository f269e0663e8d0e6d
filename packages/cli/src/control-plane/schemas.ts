// What the control plane's debug API answers, checked: on its port may listen anything, or another version. Fields that
// this version does not know stay, and so are in -o json.
import type { RuleExplanation, ServiceExplanation } from "@keelson/compiler";
import { applicationProtocols, type NodeView, type Problem, type StatusView } from "@keelson/model";
import { z } from "zod";

const problem: z.ZodType<Problem> = z.looseObject({
  severity: z.enum(["error", "warning"]),
  message: z.string(),
  object: z.string(),
  field: z.string(),
  location: z.looseObject({
    file: z.string(),
    line: z.number().exactOptional(),
    column: z.number().exactOptional(),
  }),
});

const time = z.iso.datetime();

const node: z.ZodType<NodeView> = z.looseObject({
  name: z.string(),
  id: z.string(),
  peer: z.string(),
  connectedAt: time,
  wantedVersion: z.string(),
  appliedVersion: z.string(),
  pendingSince: time.exactOptional(),
  rejected: z.record(z.string(), z.string()),
});

export const statusSchema: z.ZodType<StatusView> = z.looseObject({
  program: z.string(),
  startedAt: time,
  version: z.string(),
  versionSince: z.union([time, z.literal("")]),
  services: z.number(),
  objects: z.number(),
  problems: z.array(problem),
  nodes: z.array(node),
});

const tier = z.enum(["connect", "kernel", "relay"]);

const destination = z.looseObject({
  hostname: z.string(),
  subset: z.string().exactOptional(),
  labels: z.record(z.string(), z.string()),
  weight: z.number(),
  share: z.number(),
  endpoints: z.array(z.looseObject({ address: z.string(), workload: z.string() })),
  warning: z.string().exactOptional(),
});

const rule: z.ZodType<RuleExplanation> = z.looseObject({
  rule: z.string(),
  field: z.string().exactOptional(),
  precedence: z.number(),
  state: z.enum(["applies", "partly applies", "not applied", "shadowed"]),
  why: z.string(),
  carried: z
    .looseObject({
      tier: z.enum(["kernel", "relay"]),
      relayedBecause: z.string().exactOptional(),
      why: z.string(),
      destinations: z.array(destination),
    })
    .exactOptional(),
});

const explanation: z.ZodType<ServiceExplanation> = z.looseObject({
  hostname: z.string(),
  namespace: z.string(),
  addresses: z.array(z.string()),
  leftAlone: z.string().exactOptional(),
  ports: z.array(
    z.looseObject({
      port: z.number(),
      name: z.string(),
      transport: z.enum(["TCP", "UDP"]),
      protocol: z.enum(applicationProtocols),
      wantedTier: tier,
      tier,
      why: z.string(),
      matching: z.string().exactOptional(),
      rules: z.array(rule),
      policies: z.array(rule).exactOptional(),
      destinations: z.array(destination),
    }),
  ),
});

export const explanationsSchema: z.ZodType<readonly ServiceExplanation[]> = z.array(explanation);

/** What the debug API says when it refuses a request. */
export const refusalSchema = z.object({ error: z.string() });
