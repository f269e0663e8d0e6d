import { create } from "@bufbuild/protobuf";
import { type Extension, ExtensionSchema, Extension_Phase as Phase } from "@keelson/protos/proxy";
import type { WasmPluginObject } from "../kinds/index.ts";
import { sortedEntries } from "./string-match.ts";

const phases = {
  UNSPECIFIED_PHASE: Phase.UNSPECIFIED,
  AUTHN: Phase.AUTHN,
  AUTHZ: Phase.AUTHZ,
  STATS: Phase.STATS,
} as const;

/** @param object passed checkWasmPlugin */
export function normaliseWasmPlugin({ body: { spec }, metadata }: WasmPluginObject): Extension {
  const { name, namespace } = metadata;
  const modes = spec.match.map(({ mode }) => mode);
  const includes = (mode: "CLIENT" | "SERVER"): boolean =>
    modes.length === 0 ||
    modes.some((one) => one === mode || one === "UNDEFINED" || one === "CLIENT_AND_SERVER");
  const environment = spec.vmConfig?.env ?? [];
  return create(ExtensionSchema, {
    name: `${namespace}/${name}`,
    namespace,
    workloadLabels: Object.fromEntries(sortedEntries(spec.selector?.matchLabels)),
    phase: phases[spec.phase],
    priority: spec.priority,
    forClients: includes("CLIENT"),
    forServers: includes("SERVER"),
    url: spec.url.includes("://") ? spec.url : `oci://${spec.url}`,
    sha256: spec.sha256,
    rootId: spec.pluginName,
    configuration: spec.pluginConfig === undefined ? "" : JSON.stringify(spec.pluginConfig),
    pullPolicy: spec.imagePullPolicy === "UNSPECIFIED_POLICY" ? "" : spec.imagePullPolicy,
    environment: Object.fromEntries(
      environment
        .filter(({ valueFrom }) => valueFrom === "INLINE")
        .map(({ name: key, value = "" }) => [key, value]),
    ),
    hostEnvironment: environment.filter(({ valueFrom }) => valueFrom === "HOST").map((each) => each.name),
  });
}
