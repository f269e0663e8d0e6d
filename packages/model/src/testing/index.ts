export * from "./istio-manifests.ts";
export * from "./manifests.ts";
export * from "./random-manifests.ts";
