import { ApplicationProtocol } from "@keelson/protos/policy";

/** Protocols that Pilot told apart; EgressRules' port names hold them in upper case. */
export type V1Protocol = "HTTP" | "HTTP2" | "GRPC" | "HTTPS" | "TCP" | "UDP" | "MONGO" | "REDIS";

const names: Partial<Record<ApplicationProtocol, V1Protocol>> = {
  [ApplicationProtocol.HTTP]: "HTTP",
  [ApplicationProtocol.HTTP_PROXY]: "HTTP",
  // Its requests look like those of HTTP/1.1, and so does the way to its servers.
  [ApplicationProtocol.GRPC_WEB]: "HTTP",
  [ApplicationProtocol.HTTP2]: "HTTP2",
  [ApplicationProtocol.GRPC]: "GRPC",
  [ApplicationProtocol.HTTPS]: "HTTPS",
  [ApplicationProtocol.MONGO]: "MONGO",
  [ApplicationProtocol.REDIS]: "REDIS",
};

/** What is unknown, or came later, is TCP. */
export const v1Protocol = (protocol: ApplicationProtocol, isUdp: boolean): V1Protocol =>
  isUdp ? "UDP" : (names[protocol] ?? "TCP");

export const isHttp = (protocol: V1Protocol): boolean =>
  protocol === "HTTP" || protocol === "HTTP2" || protocol === "GRPC";

/** Whether endpoints are spoken to in HTTP/2. */
export const isHttp2 = (protocol: V1Protocol): boolean => protocol === "HTTP2" || protocol === "GRPC";

export const isTcp = (protocol: V1Protocol): boolean => !isHttp(protocol) && protocol !== "UDP";
