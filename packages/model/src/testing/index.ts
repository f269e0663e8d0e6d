export * from "./manifests.ts";
export * from "./random-manifests.ts";
