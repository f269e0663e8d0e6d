export { Backoff } from "./client/backoff.ts";
export {
  type ClientState,
  DeltaXdsClient,
  type DeltaXdsClientOptions,
} from "./client/delta-xds-client.ts";
export type { DeltaUpdate } from "./client/updates.ts";
export type { XdsEvent } from "./server/events.ts";
export { defaultLimits, type ServerLimits } from "./server/limits.ts";
export type { Rejection } from "./server/subscription.ts";
export { type NodeStatus, type TypeStatus, XdsServer, type XdsServerOptions } from "./server/xds-server.ts";
export { keepalive, serverOptions } from "./service.ts";
