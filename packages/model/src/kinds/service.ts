import { z } from "zod";
import { portNumber, stringMap } from "./fields.ts";

const servicePort = z.object({
  name: z.string().default(""),
  port: portNumber,
  targetPort: z
    .union([portNumber, z.string().min(1)], { error: "is neither a port's number (1–65535) nor its name" })
    .optional(),
  protocol: z.enum(["TCP", "UDP", "SCTP"]).default("TCP"),
  appProtocol: z.string().optional(),
});

/** Kubernetes core/v1 Service, as far as it is read. */
export const kubernetesService = z.object({
  spec: z.object({
    type: z.enum(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]).default("ClusterIP"),
    clusterIP: z.string().optional(),
    clusterIPs: z.array(z.string()).optional(),
    externalName: z.string().optional(),
    selector: stringMap.nullish(),
    ports: z.array(servicePort).default([]),
    publishNotReadyAddresses: z.boolean().default(false),
  }),
});

export type KubernetesService = z.output<typeof kubernetesService>;
