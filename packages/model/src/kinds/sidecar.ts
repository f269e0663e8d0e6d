import { z } from "zod";
import { dnsLabel, portNumber } from "./fields.ts";
import { destination, status, wildcardHostname, workloadSelector } from "./istio-fields.ts";
import { notCarried } from "./not-carried.ts";
import { istioProtocol } from "./protocol-name.ts";
import { serverTls } from "./server-tls.ts";
import { connectionPool } from "./traffic-policy.ts";

const captureMode = z.enum(["DEFAULT", "IPTABLES", "NONE"]).default("DEFAULT");

/** 0 where a listener binds to a UNIX domain socket. */
const port = z.strictObject({
  number: z.union([portNumber, z.literal(0)]).default(0),
  protocol: istioProtocol.default(""),
  name: dnsLabel.optional(),
  targetPort: notCarried(portNumber, "has no effect, in Istio neither").optional(),
});

/** "namespace/host"; of the namespace, "*" means all, "." the own, "~" none. */
const importedHost = z.string().refine((text) => {
  const [namespace = "", host = "", ...more] = text.split("/");
  const known = /^([a-z0-9]([-a-z0-9]*[a-z0-9])?|\.|\*|~)$/.test(namespace);
  return known && more.length === 0 && wildcardHostname.safeParse(host).success;
}, 'is not "namespace/host"');

const egress = z.strictObject({
  port: port.optional(),
  bind: z.string().optional(),
  captureMode,
  hosts: z.array(importedHost).min(1),
});

const ingress = z.strictObject({
  port,
  bind: z.string().optional(),
  captureMode,
  defaultEndpoint: z.string().optional(),
  tls: serverTls.optional(),
  connectionPool: connectionPool.optional(),
});

/** networking.istio.io Sidecar. */
export const sidecar = z.strictObject({
  spec: z.strictObject({
    workloadSelector: workloadSelector.optional(),
    egress: z.array(egress).default([]),
    ingress: z.array(ingress).default([]),
    outboundTrafficPolicy: z
      .strictObject({
        mode: z.enum(["REGISTRY_ONLY", "ALLOW_ANY"]).default("REGISTRY_ONLY"),
        egressProxy: notCarried(destination).optional(),
      })
      .optional(),
    inboundConnectionPool: connectionPool.optional(),
  }),
  status,
});

export type Sidecar = z.output<typeof sidecar>;
export type SidecarEgress = z.output<typeof egress>;
export type SidecarIngress = z.output<typeof ingress>;
