export { EnvoyGenerator } from "./generator.ts";
export type { InterceptionMode, ProxyMetadata } from "./proxy-metadata.ts";
export { type ProxyKind, type ProxyNode, ProxyNodeError, parseProxyNode } from "./proxy-node.ts";
export type { ProxyView } from "./proxy-view.ts";
export { envoyRegistry } from "./registry.ts";
export { envoyTypeUrls } from "./type-urls.ts";
