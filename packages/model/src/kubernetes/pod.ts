import { z } from "zod";
import { ipAddress, metadata } from "./metadata.ts";

/** core/v1 Pod: what we read of it. */
export const podSchema = z.looseObject({
  apiVersion: z.literal("v1"),
  kind: z.literal("Pod"),
  metadata,
  spec: z
    .looseObject({
      nodeName: z.string().default(""),
      serviceAccountName: z.string().default("default"),
      hostNetwork: z.boolean().default(false),
    })
    .prefault({}),
  status: z
    .looseObject({
      podIP: ipAddress.optional(),
      podIPs: z.array(z.looseObject({ ip: ipAddress })).default([]),
    })
    .prefault({}),
});

export type Pod = z.output<typeof podSchema>;
