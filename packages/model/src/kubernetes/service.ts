import { z } from "zod";
import { metadata, portNumber } from "./metadata.ts";

const servicePort = z.looseObject({
  name: z.string().default(""),
  port: portNumber,
  protocol: z.enum(["TCP", "UDP", "SCTP"]).default("TCP"),
  appProtocol: z.string().optional(),
});

/** core/v1 Service: what we read of it. Fields we do not know are the API server's business. */
export const serviceSchema = z.looseObject({
  apiVersion: z.literal("v1"),
  kind: z.literal("Service"),
  metadata,
  spec: z.looseObject({
    type: z.enum(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]).default("ClusterIP"),
    /** "None" or "" stand for a headless service. */
    clusterIP: z.string().default(""),
    clusterIPs: z.array(z.string()).default([]),
    ports: z.array(servicePort).default([]),
  }),
});

export type KubernetesService = z.output<typeof serviceSchema>;
