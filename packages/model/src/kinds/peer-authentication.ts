import { z } from "zod";
import { portNumber } from "./fields.ts";
import { labels, status } from "./istio-fields.ts";

const mutualTls = z.strictObject({
  mode: z.enum(["UNSET", "DISABLE", "PERMISSIVE", "STRICT"]).default("UNSET"),
});

/** security.istio.io PeerAuthentication: whether workloads take mutual TLS of the mesh, clear text or both. */
export const peerAuthentication = z.strictObject({
  spec: z
    .strictObject({
      selector: z.strictObject({ matchLabels: labels.default({}) }).optional(),
      mtls: mutualTls.optional(),
      portLevelMtls: z.record(z.coerce.number().pipe(portNumber), mutualTls).default({}),
    })
    .default({ portLevelMtls: {} }),
  status,
});

export type PeerAuthentication = z.output<typeof peerAuthentication>;
