import { z } from "zod";
import { portNumber } from "./fields.ts";

const portOrName = z.union([portNumber, z.string()]);

const probe = z.object({
  httpGet: z.object({ port: portOrName }).nullish(),
  tcpSocket: z.object({ port: portOrName }).nullish(),
});

const container = z.object({
  ports: z.array(z.object({ name: z.string().optional(), containerPort: portNumber })).nullish(),
  livenessProbe: probe.nullish(),
  readinessProbe: probe.nullish(),
});
export type Container = z.output<typeof container>;

/** Kubernetes core/v1 Pod, as far as it is read. */
export const pod = z.object({
  spec: z
    .object({
      nodeName: z.string().default(""),
      serviceAccountName: z.string().default("default"),
      hostNetwork: z.boolean().default(false),
      containers: z.array(container).default([]),
    })
    .prefault({}),
  status: z
    .object({
      phase: z.string().optional(),
      podIP: z.string().optional(),
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).nullish(),
      podIPs: z.array(z.object({ ip: z.string() })).nullish(),
    })
    .prefault({}),
});

export type Pod = z.output<typeof pod>;
