import { readFileSync } from "node:fs";
import type { Server as HttpServer } from "node:http";
import type { Server } from "node:net";
import { Counter, Gauge, type Registry } from "prom-client";
import type { LimitedLog } from "../logging/limited-log.ts";
import { type ConnectionLimits, Connections } from "./connections.ts";
import { defaultStreamLimits, StreamGuard, type StreamLimits } from "./stream-guard.ts";

export interface PortLimits extends ConnectionLimits, StreamLimits {}

/** Not all descriptors: some are for files, and for connections to others. */
const share = 0.8;
const mostConnections = 15_000;

/** Bounds what peers can make the ports of a control plane keep, and tells what it did about it. */
export class PortGuard {
  private readonly connections: Connections;
  private readonly streams: StreamGuard;
  private readonly dropped = new Counter({
    name: "keelson_connections_dropped_total",
    help: "Connections that were closed for want of room before they asked for anything.",
    registers: [],
  });
  private readonly cut = new Counter({
    name: "keelson_grpc_streams_cut_total",
    help: "Streams that were ended for what they made the server keep, by kind.",
    labelNames: ["kind"],
    registers: [],
  });

  constructor(log: LimitedLog, limits: Partial<PortLimits> = {}) {
    const connections = Math.min(mostConnections, Math.floor(openFiles() * share));
    const all = { connections, ...defaultStreamLimits, ...limits };
    this.connections = new Connections(all, {
      onDropped: (dropped) => {
        this.dropped.inc();
        log.warn(dropped, "connection dropped");
      },
      onUnasked: (unasked) => log.info(unasked, "connection ended without a whole request"),
    });
    this.streams = new StreamGuard({
      limits: all,
      connections: this.connections,
      onCut: (cut) => {
        this.cut.inc({ kind: cut.kind });
        log.warn(cut, "stream cut");
      },
    });
  }

  /** Looks after the connections of a gRPC server's listener. */
  follow(server: Server): void {
    this.connections.follow(server);
  }

  /** Looks after the connections of an HTTP server. */
  followHttp(server: HttpServer): void {
    this.connections.follow(server);
    server.on("request", ({ socket }) => this.connections.hasAsked(socket));
  }

  addMetrics(registry: Registry): void {
    registry.registerMetric(this.dropped);
    registry.registerMetric(this.cut);
    this.addGauge(
      registry,
      "keelson_connections",
      "Connections that are open, of all ports.",
      this.connections,
    );
    this.addGauge(
      registry,
      "keelson_grpc_streams",
      "gRPC streams that are open, of all services.",
      this.streams,
    );
  }

  close(): void {
    this.streams.close();
  }

  private addGauge(registry: Registry, name: string, help: string, counted: { readonly size: number }): void {
    const gauge: Gauge = new Gauge({ name, help, registers: [], collect: () => gauge.set(counted.size) });
    registry.registerMetric(gauge);
  }
}

/** How many descriptors this process may have (proc(5), /proc/PID/limits); Node raises it to what it may be raised to. */
function openFiles(): number {
  const [, soft = ""] = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
  return soft === "" ? Number.POSITIVE_INFINITY : Number(soft);
}
