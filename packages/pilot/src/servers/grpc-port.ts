import * as grpc from "@grpc/grpc-js";
import { serverOptions } from "@keelson/xds";
import { formatHostPort } from "../listen-address.ts";
import type { GrpcSettings } from "../settings/discovery-settings.ts";
import type { Listen } from "./listen.ts";

/** A connection that has reached its age is cut after this time more, in ms; as in Pilot. */
const ageGraceMs = 10_000;

/** @returns options of a gRPC server; what is not told is as the xDS server would have it. */
export function grpcOptions(settings: Partial<GrpcSettings>): grpc.ServerOptions {
  const {
    keepaliveIntervalMs,
    keepaliveTimeoutMs,
    maxConnectionAgeMs,
    maxStreamsPerConnection,
    maxRequestBytes,
  } = settings;
  return {
    ...serverOptions,
    ...(keepaliveIntervalMs === undefined ? {} : { "grpc.keepalive_time_ms": keepaliveIntervalMs }),
    ...(keepaliveTimeoutMs === undefined ? {} : { "grpc.keepalive_timeout_ms": keepaliveTimeoutMs }),
    ...(maxConnectionAgeMs === undefined || maxConnectionAgeMs === Infinity
      ? {}
      : { "grpc.max_connection_age_ms": maxConnectionAgeMs, "grpc.max_connection_age_grace_ms": ageGraceMs }),
    ...(maxStreamsPerConnection === undefined
      ? {}
      : { "grpc.max_concurrent_streams": maxStreamsPerConnection }),
    ...(maxRequestBytes === undefined ? {} : { "grpc.max_receive_message_length": maxRequestBytes }),
  };
}

/** @returns how a gRPC server listens */
export function grpcListen(server: grpc.Server, credentials: grpc.ServerCredentials): Listen {
  return (address) =>
    new Promise((resolve, reject) => {
      server.bindAsync(formatHostPort(address), credentials, (error, port) => {
        if (error === null) resolve(port);
        else reject(error);
      });
    });
}

/** Waits for calls to end; after `graceMs` those that are left are cut. */
export function shutDown(server: grpc.Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, graceMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
