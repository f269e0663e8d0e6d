import { create } from "@bufbuild/protobuf";
import {
  IngressMode,
  type LegacyMesh,
  LegacyMeshSchema,
  type Mesh,
  MeshSchema,
  OutboundPolicy,
} from "@keelson/protos/proxy";
import type { z } from "zod";
import { type FieldPath, type Origin, type Problem, problemOf, type Severity } from "./config-object.ts";
import { durationMs } from "./kinds/fields.ts";
import { agentFields, idleMeshFields, meshConfig, meshConfigFields } from "./kinds/mesh-config.ts";
import { defaultLegacyMesh, defaultMesh } from "./mesh.ts";
import type { Normalised } from "./normalise/normalised.ts";
import { camelCaseFields } from "./snake-case.ts";
import { suggest } from "./suggest.ts";

/**
 * Settings of the mesh, as Istio's ConfigMap has them under the key "mesh". What is wrong with one field leaves that
 * field at its default; fields that are not known are allowed, as istiod allows them, and told.
 * @param value what the text says; undefined or null if it says nothing
 * @param domain suffix of Kubernetes' service names
 */
export function readMeshConfig(value: unknown, origin: Origin, domain: string): Normalised<Mesh> {
  const problems: Problem[] = [];
  const tell = (severity: Severity, path: FieldPath, message: string): void => {
    problems.push(problemOf(severity, { ...head, origin }, path, message));
  };
  const defaults = defaultMesh(domain);
  const fields = value === undefined || value === null ? {} : camelCaseFields(value);
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    tell("error", [], "is no map of settings; the defaults count");
    return { value: defaults, problems };
  }
  const taken: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    if (field === null || agentFields.has(name)) continue;
    const schema = schemaOf(name);
    if (schema === undefined) {
      tell("warning", [name], whyIdle(name));
      continue;
    }
    const parsed = schema.safeParse(field);
    if (parsed.success) taken[name] = field;
    for (const { message } of parsed.error?.issues ?? []) {
      tell("error", [name], `${message} (found ${JSON.stringify(field)}); the default counts`);
    }
  }
  return { value: withFields(defaults, meshConfig.parse(taken)), problems };
}

const head = {
  kind: "MeshConfig",
  metadata: { name: "mesh", namespace: "", uid: "", creationTimestamp: "", labels: {}, annotations: {} },
} as const;

const schemas: ReadonlyMap<string, z.ZodType> = new Map(Object.entries(meshConfigFields));
const schemaOf = (name: string): z.ZodType | undefined => schemas.get(name);

function whyIdle(name: string): string {
  if (idleMeshFields.includes(name)) return "has no effect: it is not supported yet";
  const near = suggest(name, [...schemas.keys(), ...idleMeshFields]);
  return `is not known, and has no effect${near === undefined ? "" : `; did you mean "${near}"?`}`;
}

type Fields = z.output<typeof meshConfig>;

const ms = (text: string | undefined, otherwise: bigint): bigint =>
  text === undefined ? otherwise : durationMs(text);

function withFields(defaults: Mesh, fields: Fields): Mesh {
  const { outboundTrafficPolicy: outbound, accessLogEncoding, ...more } = fields;
  const policies = { REGISTRY_ONLY: OutboundPolicy.REGISTRY_ONLY, ALLOW_ANY: OutboundPolicy.ALLOW_ANY };
  return create(MeshSchema, {
    trustDomain: more.trustDomain ?? defaults.trustDomain,
    rootNamespace: more.rootNamespace ?? defaults.rootNamespace,
    proxyListenPort: more.proxyListenPort || defaults.proxyListenPort,
    proxyInboundListenPort: more.proxyInboundListenPort ?? defaults.proxyInboundListenPort,
    connectTimeoutMs: ms(more.connectTimeout, defaults.connectTimeoutMs),
    outboundPolicy: outbound === undefined ? defaults.outboundPolicy : policies[outbound.mode],
    accessLogFile: more.accessLogFile ?? defaults.accessLogFile,
    accessLogJson: accessLogEncoding === "JSON",
    accessLogFormat: more.accessLogFormat ?? defaults.accessLogFormat,
    protocolDetectionTimeoutMs: ms(more.protocolDetectionTimeout, defaults.protocolDetectionTimeoutMs),
    enableAutoMtls: more.enableAutoMtls ?? defaults.enableAutoMtls,
    dnsRefreshRateMs: ms(more.dnsRefreshRate, defaults.dnsRefreshRateMs),
    domain: defaults.domain,
    ingressClass: more.ingressClass ?? defaults.ingressClass,
    ingressMode:
      more.ingressControllerMode === undefined
        ? defaults.ingressMode
        : IngressMode[more.ingressControllerMode],
    legacy: legacyMesh(fields),
  });
}

function legacyMesh(fields: Fields): LegacyMesh {
  const defaults = defaultLegacyMesh();
  return create(LegacyMeshSchema, {
    mixerAddress: fields.mixerAddress ?? defaults.mixerAddress,
    disablePolicyChecks: fields.disablePolicyChecks ?? defaults.disablePolicyChecks,
    egressProxyAddress: fields.egressProxyAddress ?? defaults.egressProxyAddress,
    proxyListenPort: fields.proxyListenPort ?? defaults.proxyListenPort,
    proxyHttpPort: fields.proxyHttpPort ?? defaults.proxyHttpPort,
    connectTimeoutMs: ms(fields.connectTimeout, defaults.connectTimeoutMs),
    mutualTls: fields.authPolicy === "MUTUAL_TLS",
    rdsRefreshDelayMs: ms(fields.rdsRefreshDelay, defaults.rdsRefreshDelayMs),
    enableTracing: fields.enableTracing ?? defaults.enableTracing,
    accessLogFile: fields.accessLogFile ?? defaults.accessLogFile,
  });
}
