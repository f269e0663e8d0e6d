import * as grpc from "@grpc/grpc-js";
import { type Compiled, Compiler, type ServiceExplanation } from "@keelson/compiler";
import { type Model, ModelBuilder, type Problem, type StatusView } from "@keelson/model";
import { policyTypeUrls, type ResourceSnapshot } from "@keelson/protos";
import type { ConfigSource, SourceSnapshot } from "@keelson/sources";
import { keepalive, type XdsEvent, XdsServer } from "@keelson/xds";
import type { Logger } from "pino";
import { openGuard } from "./auth/peer-guard.ts";
import { EdgeLedger } from "./edge-ledger.ts";
import { formatHostPort, type ListenAddress } from "./listen-address.ts";
import { Metrics } from "./metrics.ts";
import { nodeViews } from "./node-views.ts";
import { ProblemLog } from "./problem-log.ts";
import { Readiness } from "./readiness.ts";
import { Snapshots } from "./snapshots.ts";
import { registerTelemetry } from "./telemetry-service.ts";
import { programVersion } from "./version.ts";

export interface ControlPlaneOptions {
  readonly source: ConfigSource;
  /** Suffix of Kubernetes' service names. */
  readonly domain: string;
  readonly logger: Logger;
}

/** Turns what the source holds into snapshots, and serves them to nodes. */
export class ControlPlane {
  readonly readiness = new Readiness();
  readonly metrics = new Metrics();
  readonly ledger = new EdgeLedger();
  private readonly options: ControlPlaneOptions;
  private readonly builder: ModelBuilder;
  private readonly compiler = new Compiler();
  private readonly snapshots = new Snapshots(BigInt(Date.now()));
  private readonly xds: XdsServer;
  private readonly server = new grpc.Server(keepalive);
  private readonly problemLog: ProblemLog;
  private readonly startedAt = new Date();
  private versionSince: Date | undefined;
  private state:
    | { model: Model; compiled: Compiled; objects: number; problems: readonly Problem[] }
    | undefined;

  constructor(options: ControlPlaneOptions) {
    this.options = options;
    this.builder = new ModelBuilder(options.domain);
    this.problemLog = new ProblemLog(options.logger);
    this.xds = new XdsServer({
      typeOrder: Object.values(policyTypeUrls),
      onEvent: (event) => this.onXdsEvent(event),
    });
    this.xds.register(this.server);
    registerTelemetry(this.server, this.ledger, openGuard);
  }

  /** Reads the configuration, and keeps following it. @throws Error if there is none to be read. */
  async start(): Promise<void> {
    const done = this.readiness.hold("config", "the configuration is being read");
    this.options.source.onChange((snapshot) => this.take(snapshot));
    await this.options.source.start();
    done();
  }

  /** @returns the port that is listened on. @throws Error naming the address. */
  async listen(address: ListenAddress): Promise<number> {
    const target = formatHostPort(address);
    return new Promise((resolve, reject) => {
      this.server.bindAsync(target, grpc.ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) resolve(port);
        else reject(new Error(`cannot listen on ${target} for xDS: ${error.message}`, { cause: error }));
      });
    });
  }

  /** Ends all streams so that nodes look for another control plane; waits for them up to `graceMs`. */
  async close(graceMs: number): Promise<void> {
    await this.options.source.close();
    this.xds.close();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.server.forceShutdown();
        resolve();
      }, graceMs);
      this.server.tryShutdown(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  get snapshot(): ResourceSnapshot {
    return { version: this.snapshots.version, resources: this.snapshots.resources };
  }

  status(): StatusView {
    const version = this.snapshots.version.toString();
    return {
      program: programVersion,
      startedAt: this.startedAt.toISOString(),
      version: this.versionSince === undefined ? "" : version,
      versionSince: this.versionSince?.toISOString() ?? "",
      services: this.state?.model.services.size ?? 0,
      objects: this.state?.objects ?? 0,
      problems: this.state?.problems ?? [],
      nodes: nodeViews(this.xds, version),
    };
  }

  /** Of all services, sorted by hostname. */
  explanations(): ServiceExplanation[] {
    const { model, compiled } = this.state ?? {};
    return [...(model?.services.keys() ?? [])]
      .map((hostname) => compiled?.explain(hostname))
      .filter((explanation) => explanation !== undefined);
  }

  private take({ objects, problems: sourceProblems }: SourceSnapshot): void {
    const end = this.metrics.compileSeconds.startTimer();
    const { model, problems: modelProblems } = this.builder.build(objects);
    const compiled = this.compiler.compile(model);
    end();
    const problems = [...sourceProblems, ...modelProblems, ...compiled.problems];
    this.state = { model, compiled, objects: objects.length, problems };
    this.problemLog.take(problems);
    this.metrics.configErrors.set(problems.filter(({ severity }) => severity === "error").length);
    const next = this.snapshots.next(compiled.resources);
    if (next === undefined) return;
    this.versionSince = new Date();
    this.xds.setSnapshot(next);
    const counts = { services: model.services.size, workloads: model.workloads.size };
    this.options.logger.info({ version: next.version.toString(), ...counts }, "new version");
  }

  private onXdsEvent(event: XdsEvent): void {
    const { logger } = this.options;
    const { kind, ...fields } = event;
    this.metrics.connections.set(this.xds.nodes().length);
    switch (event.kind) {
      case "connected":
      case "disconnected":
        logger.info(fields, `node ${event.kind}`);
        break;
      case "refused":
        logger.warn(fields, "stream refused");
        break;
      case "push":
        this.metrics.pushes.inc({ type: event.typeUrl });
        logger.debug(fields, "pushed");
        break;
      case "ack":
        logger.debug(fields, "acked");
        break;
      case "nack":
        this.metrics.rejects.inc({ type: event.typeUrl });
        logger.error(fields, "a node rejected a version and goes on with the one before");
        break;
    }
  }
}
