export { envoyTypeRules } from "./envoy-rules.ts";
export { keptProxyMetadata } from "./kept-metadata.ts";
export { type PolicySnapshot, PolicyViews } from "./policy-views.ts";
