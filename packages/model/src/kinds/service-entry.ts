import { z } from "zod";
import { dnsLabel, portNumber } from "./fields.ts";
import { exportTo, status, subnet, wildcardHostname, workloadSelector } from "./istio-fields.ts";
import { istioProtocol } from "./protocol-name.ts";
import { workloadEntrySpec } from "./workload-entry.ts";

const port = z.strictObject({
  number: portNumber,
  name: dnsLabel,
  protocol: istioProtocol.default(""),
  targetPort: portNumber.optional(),
});

/** networking.istio.io ServiceEntry. */
export const serviceEntry = z.strictObject({
  spec: z.strictObject({
    hosts: z.array(wildcardHostname.refine((host) => host !== "*", '"*" is no host of a service')).min(1),
    addresses: z.array(subnet).default([]),
    ports: z.array(port).default([]),
    location: z.enum(["MESH_EXTERNAL", "MESH_INTERNAL"]).default("MESH_EXTERNAL"),
    resolution: z.enum(["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"]).default("NONE"),
    endpoints: z.array(workloadEntrySpec).default([]),
    workloadSelector: workloadSelector.optional(),
    exportTo: exportTo.default([]),
    subjectAltNames: z.array(z.string()).default([]),
  }),
  status,
});

export type ServiceEntry = z.output<typeof serviceEntry>;
export type ServiceEntryPort = z.output<typeof port>;
