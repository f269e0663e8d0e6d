export type { SecretViewsOptions } from "../secrets/secret-views.ts";
export { envoyTypeRules } from "./envoy-rules.ts";
export { keptProxyMetadata } from "./kept-metadata.ts";
export { isApplier, isProxyless, type PolicySnapshot, PolicyViews } from "./policy-views.ts";
