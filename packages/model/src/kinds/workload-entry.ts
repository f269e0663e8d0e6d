import { z } from "zod";
import { dnsLabel, portNumber } from "./fields.ts";
import { hostname, ipAddress, labels, status } from "./istio-fields.ts";
import { notCarried } from "./not-carried.ts";

const unixAddress = z.string().regex(/^unix:\/\/(\/|@)./);

/** A workload that is no pod, by itself or inside a ServiceEntry. */
export const workloadEntrySpec = z.strictObject({
  /** May be left out only where a network is named, which is not supported. */
  address: z
    .union([ipAddress, hostname, unixAddress], {
      error: "is neither an IP address nor a domain name nor unix://…",
    })
    .optional(),
  /** Name of a service's port → port of the workload. */
  ports: z.record(dnsLabel, portNumber).default({}),
  labels: labels.default({}),
  network: notCarried(z.string()).optional(),
  locality: z.string().default(""),
  /** 0 is as good as 1. */
  weight: z.number().int().min(0).max(4_294_967_295).default(1),
  serviceAccount: z.string().default(""),
});
export type WorkloadEntrySpec = z.output<typeof workloadEntrySpec>;

/** networking.istio.io WorkloadEntry. */
export const workloadEntry = z.strictObject({ spec: workloadEntrySpec, status });

export type WorkloadEntry = z.output<typeof workloadEntry>;
