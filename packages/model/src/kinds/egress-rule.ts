import { z } from "zod";
import { portNumber } from "./fields.ts";
import { istioService } from "./istio-service.ts";

/** config.istio.io/v1alpha2 EgressRule: istio.proxy.v1.config.EgressRule of Istio 0.2. */
export const egressRule = z.strictObject({
  spec: z.strictObject({
    destination: istioService,
    ports: z
      .array(
        z.strictObject({
          port: portNumber,
          protocol: z
            .string()
            .refine(
              (text) => ["HTTP", "HTTPS", "HTTP2", "GRPC"].includes(text.toUpperCase()),
              "is none of http, https, http2 and grpc",
            ),
        }),
      )
      .min(1),
    useEgressProxy: z.boolean().default(false),
  }),
});

export type EgressRule = z.output<typeof egressRule>;
