import { z } from "zod";
import { labels, status } from "./istio-fields.ts";
import { notCarried } from "./not-carried.ts";

/** https://, oci:// (also where there is no scheme) and file://. */
const url = z.string().min(1);

const environment = z.strictObject({
  name: z.string().min(1),
  valueFrom: z.enum(["INLINE", "HOST"]).default("INLINE"),
  value: z.string().optional(),
});

/** extensions.istio.io WasmPlugin: a filter that proxies load. */
export const wasmPlugin = z.strictObject({
  spec: z.strictObject({
    selector: z.strictObject({ matchLabels: labels.default({}) }).optional(),
    targetRef: z.unknown().optional(),
    targetRefs: z.array(z.unknown()).default([]),
    url,
    sha256: z
      .string()
      .regex(/^([0-9a-f]{64})?$/, "is not a SHA-256 in hexadecimal")
      .default(""),
    imagePullPolicy: z.enum(["UNSPECIFIED_POLICY", "IfNotPresent", "Always"]).default("UNSPECIFIED_POLICY"),
    imagePullSecret: notCarried(z.string()).optional(),
    verificationKey: notCarried(z.string()).optional(),
    pluginConfig: z.record(z.string(), z.unknown()).optional(),
    pluginName: z.string().default(""),
    phase: z.enum(["UNSPECIFIED_PHASE", "AUTHN", "AUTHZ", "STATS"]).default("UNSPECIFIED_PHASE"),
    priority: z.number().int().default(0),
    failStrategy: z.enum(["FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"]).default("FAIL_CLOSE"),
    vmConfig: z.strictObject({ env: z.array(environment).default([]) }).optional(),
    match: z
      .array(
        z.strictObject({
          mode: z.enum(["UNDEFINED", "CLIENT", "SERVER", "CLIENT_AND_SERVER"]).default("UNDEFINED"),
          ports: z.array(z.strictObject({ number: z.number().int() })).default([]),
        }),
      )
      .default([]),
    type: z.enum(["UNSPECIFIED_PLUGIN_TYPE", "HTTP", "NETWORK"]).default("UNSPECIFIED_PLUGIN_TYPE"),
  }),
  status,
});

export type WasmPlugin = z.output<typeof wasmPlugin>;
