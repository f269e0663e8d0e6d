import { ApplicationProtocol as Protocol } from "@keelson/protos/policy";

const named: Readonly<Record<string, Protocol>> = {
  TCP: Protocol.TCP,
  UDP: Protocol.UDP,
  HTTP: Protocol.HTTP,
  HTTP2: Protocol.HTTP2,
  GRPC: Protocol.GRPC,
  "GRPC-WEB": Protocol.GRPC_WEB,
  HTTPS: Protocol.HTTPS,
  TLS: Protocol.TLS,
  MONGO: Protocol.MONGO,
  REDIS: Protocol.REDIS,
  MYSQL: Protocol.MYSQL,
  HTTP_PROXY: Protocol.HTTP_PROXY,
};

/** A protocol as Gateways and Sidecars write it, in any case; unknown ones are found out by looking. */
export const parseProtocol = (text: string): Protocol => named[text.toUpperCase()] ?? Protocol.UNSPECIFIED;
