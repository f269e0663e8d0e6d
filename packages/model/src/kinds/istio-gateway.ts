import { z } from "zod";
import { portNumber } from "./fields.ts";
import { labels, status, wildcardHostname } from "./istio-fields.ts";
import { notCarried } from "./not-carried.ts";
import { istioProtocol } from "./protocol-name.ts";
import { serverTls } from "./server-tls.ts";

/** "host", "namespace/host", "./host" or "*" and a host. */
export const namespacedHost = z.string().refine((text) => {
  const [first = "", second, ...more] = text.split("/");
  if (more.length > 0) return false;
  if (second === undefined) return wildcardHostname.safeParse(first).success;
  return /^([a-z0-9]([-a-z0-9]*[a-z0-9])?|\.|\*)$/.test(first) && wildcardHostname.safeParse(second).success;
}, 'is neither a host nor "namespace/host"');

const server = z.strictObject({
  name: z.string().optional(),
  port: z.strictObject({
    number: portNumber,
    protocol: istioProtocol.refine((text) => text !== "", "is required"),
    name: z.string().min(1),
    targetPort: notCarried(portNumber, "has no effect, in Istio neither").optional(),
  }),
  bind: z.string().optional(),
  hosts: z.array(namespacedHost).min(1),
  tls: serverTls.optional(),
  defaultEndpoint: notCarried(z.string()).optional(),
});

/** networking.istio.io Gateway. */
export const istioGateway = z.strictObject({
  spec: z.strictObject({
    selector: labels.default({}),
    servers: z.array(server).min(1),
  }),
  status,
});

export type IstioGateway = z.output<typeof istioGateway>;
export type IstioGatewayServer = z.output<typeof server>;
