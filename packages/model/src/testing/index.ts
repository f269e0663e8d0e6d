export * from "./certificates.ts";
export * from "./gateway-api-manifests.ts";
export * from "./istio-manifests.ts";
export * from "./legacy-manifests.ts";
export * from "./manifests.ts";
export * from "./random-edits.ts";
export * from "./random-manifests.ts";
