import { createServer, type Server } from "node:net";
import * as grpc from "@grpc/grpc-js";
import { serverOptions } from "@keelson/xds";
import type { GrpcSettings } from "../settings/discovery-settings.ts";

/** A connection that has reached its age is cut after this time more, in ms; as in Pilot. */
const ageGraceMs = 10_000;

/** Streams of one connection at once; a proxy, an agent and istioctl have a handful. */
const streamsPerConnection = 1_000;

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
    "grpc.max_concurrent_streams": maxStreamsPerConnection ?? streamsPerConnection,
    ...(maxRequestBytes === undefined ? {} : { "grpc.max_receive_message_length": maxRequestBytes }),
  };
}

/** @returns what listens for a gRPC server, whose own listener does not show its connections */
export function grpcListener(server: grpc.Server, credentials: grpc.ServerCredentials): Server {
  const injector = server.createConnectionInjector(credentials);
  return createServer((socket) => {
    // gRPC reports what goes wrong on a connection only while it has a call.
    socket.on("error", () => undefined);
    injector.injectConnection(socket);
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
