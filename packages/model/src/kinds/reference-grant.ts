import { z } from "zod";
import { dnsLabel } from "./fields.ts";
import { objectName } from "./gateway-api-fields.ts";

/** gateway.networking.k8s.io ReferenceGrant: what objects of other namespaces may name in its own. */
export const referenceGrant = z.strictObject({
  spec: z.strictObject({
    from: z.array(z.strictObject({ group: z.string(), kind: z.string().min(1), namespace: dnsLabel })).min(1),
    to: z
      .array(z.strictObject({ group: z.string(), kind: z.string().min(1), name: objectName.optional() }))
      .min(1),
  }),
});

export type ReferenceGrant = z.output<typeof referenceGrant>;
