export { Backoff } from "./client/backoff.ts";
export {
  type ClientState,
  DeltaXdsClient,
  type DeltaXdsClientOptions,
} from "./client/delta-xds-client.ts";
export type { DeltaUpdate } from "./client/updates.ts";
export { Repeats } from "./repeats.ts";
export type { Admission, Admit, IncomingCall } from "./server/admission.ts";
export type { ConnectionView } from "./server/connection-view.ts";
export type { Debounce } from "./server/debouncer.ts";
export type { XdsEvent } from "./server/events.ts";
export { defaultLimits, type ServerLimits } from "./server/limits.ts";
export type { NodeStatus, TypeStatus } from "./server/node-status.ts";
export type { OnDemand, OnDemandAnswer } from "./server/on-demand.ts";
export type { PeerNode } from "./server/peer-node.ts";
export { Refusal, type RefusalCode } from "./server/refusal.ts";
export type { Rejection } from "./server/rejections.ts";
export { rulesInOrder, type TypeRule } from "./server/type-rules.ts";
export type { Resources, View } from "./server/view.ts";
export { XdsServer, type XdsServerOptions } from "./server/xds-server.ts";
export { keepalive, serverOptions } from "./service.ts";
