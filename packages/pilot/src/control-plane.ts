import type { Server } from "node:net";
import * as grpc from "@grpc/grpc-js";
import type { ServiceExplanation } from "@keelson/compiler";
import type { StatusView } from "@keelson/model";
import type { ResourceSnapshot } from "@keelson/protos";
import type { ConfigSource } from "@keelson/sources";
import type { ServerLimits, XdsEvent } from "@keelson/xds";
import type { Logger } from "pino";
import type { Authenticator } from "./auth/authenticator.ts";
import { openGuard, type PeerGuard } from "./auth/peer-guard.ts";
import { ConfigPipeline, type ConfigPipelineOptions, type PipelineState } from "./config/config-pipeline.ts";
import { HealthLog } from "./config/health-log.ts";
import { ProblemLog, problemText } from "./config/problem-log.ts";
import { Snapshots } from "./config/snapshots.ts";
import { controlPlaneIdentifier } from "./debug/ads.ts";
import { Debug } from "./debug/debug.ts";
import { LiveState } from "./debug/live-state.ts";
import { nodeViews } from "./debug/node-views.ts";
import { Explainer } from "./explaining/explainer.ts";
import type { ListenAddress } from "./listen-address.ts";
import { limitedLog } from "./logging/limited-log.ts";
import { Metrics } from "./metrics/metrics.ts";
import { Readiness } from "./readiness.ts";
import { grpcListener, grpcOptions, shutDown } from "./servers/grpc-port.ts";
import { listenOn, plainListen } from "./servers/listen.ts";
import { PortGuard, type PortLimits } from "./servers/port-guard.ts";
import { PolicyServer } from "./serving/policy-server.ts";
import type { DebugSettings, GrpcSettings } from "./settings/discovery-settings.ts";
import { defaultPush, type PushSettings } from "./settings/push-settings.ts";
import { EdgeLedger } from "./telemetry/edge-ledger.ts";
import { ObservationHub } from "./telemetry/observation-hub.ts";
import { registerObservation } from "./telemetry/observation-service.ts";
import { registerTelemetry } from "./telemetry/telemetry-service.ts";
import { buildInfo, buildText, programVersion } from "./version.ts";
import { XdsLog } from "./xds-log.ts";

export interface ControlPlaneOptions {
  readonly source: ConfigSource;
  /** Suffix of Kubernetes' service names. */
  readonly domain: string;
  /** The mesh configuration; if left out, the defaults hold. */
  readonly mesh?: ConfigPipelineOptions["mesh"];
  readonly logger: Logger;
  /** For what is said of streams; default: `logger`. */
  readonly xdsLogger?: Logger;
  readonly grpc?: Partial<GrpcSettings>;
  readonly push?: PushSettings;
  /** Who this control plane is, as peers are told it. */
  readonly identity?: { readonly podName: string; readonly clusterId: string };
  readonly debug?: DebugSettings;
  readonly xdsLimits?: Partial<ServerLimits>;
  readonly portLimits?: Partial<PortLimits>;
}

const defaultDebug: DebugSettings = {
  onHttp: true,
  byNamespace: true,
  allowedNamespaces: [],
  admin: false,
  metricsForLocalhostOnly: false,
};

/** Between two looks at how the source is doing. */
const healthIntervalMs = 2_500;

/** Turns what the source holds into snapshots, and serves them to nodes. */
export class ControlPlane {
  readonly readiness = new Readiness();
  readonly metrics: Metrics;
  readonly ledger = new EdgeLedger();
  readonly observations = new ObservationHub();
  readonly debug: Debug;
  /** Bounds what peers can make the ports keep. */
  readonly guard: PortGuard;
  /** Who vouches for callers that show a token; nobody, until ports with TLS are open. */
  authenticators: readonly Authenticator[] = [];
  private readonly options: ControlPlaneOptions;
  private readonly pipeline: ConfigPipeline;
  private readonly explainer = new Explainer();
  private readonly snapshots = new Snapshots(BigInt(Date.now()));
  private readonly xds: PolicyServer;
  private readonly servers: grpc.Server[] = [];
  private readonly listeners: Server[] = [];
  private readonly xdsLog: XdsLog;
  private readonly problemLog: ProblemLog;
  private readonly startedAt = new Date();
  private versionSince: Date | undefined;
  private readonly stateListeners: (() => void)[] = [];
  private healthTimer: NodeJS.Timeout | undefined;

  constructor(options: ControlPlaneOptions) {
    this.options = options;
    this.problemLog = new ProblemLog(options.logger);
    const xdsLog = limitedLog(options.xdsLogger ?? options.logger);
    this.xdsLog = new XdsLog(xdsLog);
    this.guard = new PortGuard(xdsLog, options.portLimits);
    this.metrics = new Metrics({
      version: buildText,
      problems: () => this.readiness.problems,
      connections: () => this.xds.sizes(),
      sourceEvents: () => options.source.events,
    });
    this.guard.addMetrics(this.metrics.registry);
    this.pipeline = new ConfigPipeline({
      source: options.source,
      domain: options.domain,
      mesh: options.mesh,
      onState: (state) => this.take(state),
    });
    this.xds = new PolicyServer({
      push: options.push ?? defaultPush,
      onEvent: (event) => this.onXdsEvent(event),
      ...(options.xdsLimits === undefined ? {} : { limits: options.xdsLimits }),
      onSecretWithheld: ({ id: node }, secret, why) => this.onSecretWithheld({ node, secret, why }),
      onDemand: (typeUrl, names, caller) => this.debug.answer(typeUrl, names, caller?.identity),
    });
    const { podName = "", clusterId = "Kubernetes" } = options.identity ?? {};
    this.debug = new Debug({
      state: new LiveState(this.xds, () => this.state, clusterId),
      settings: options.debug ?? defaultDebug,
      identifier: controlPlaneIdentifier(podName, buildInfo),
    });
  }

  /** Reads the configuration, and keeps following it. @throws Error if there is none to be read. */
  async start(): Promise<void> {
    const done = this.readiness.hold("config", "the configuration is being read");
    const { source, logger } = this.options;
    this.readiness.follow(() => source.health);
    const healthLog = new HealthLog(logger);
    this.healthTimer = setInterval(() => healthLog.look(source.health), healthIntervalMs).unref();
    await this.pipeline.start();
    done();
  }

  /**
   * @param guard who may ask for it
   * @returns a gRPC server with all that nodes may ask for. It is shut down with the control plane.
   */
  makeServer(guard: PeerGuard = openGuard): grpc.Server {
    const server = new grpc.Server(grpcOptions(this.options.grpc ?? {}));
    this.xds.register(server, guard);
    registerTelemetry(server, this.ledger, guard);
    registerObservation(server, this.observations, guard);
    this.servers.push(server);
    return server;
  }

  /** Serves xDS. @returns the port that is listened on. @throws Error naming the address. */
  listen(
    address: ListenAddress,
    credentials: grpc.ServerCredentials = grpc.ServerCredentials.createInsecure(),
  ): Promise<number> {
    const listener = grpcListener(this.makeServer(), credentials);
    this.guard.follow(listener);
    this.listeners.push(listener);
    return listenOn(address, plainListen(listener));
  }

  /** Ends all streams so that nodes look for another control plane; waits for them up to `graceMs`. */
  async close(graceMs: number): Promise<void> {
    clearInterval(this.healthTimer);
    await Promise.all([this.pipeline.close(), this.explainer.close()]);
    this.xds.close();
    for (const listener of this.listeners) listener.close();
    await Promise.all(this.servers.map((server) => shutDown(server, graceMs)));
    this.guard.close();
  }

  get snapshot(): ResourceSnapshot {
    return { version: this.snapshots.version, resources: this.snapshots.resources };
  }

  /** Undefined until the configuration has been read. */
  get state(): PipelineState | undefined {
    return this.pipeline.state;
  }

  /** @param listener called after every change of `state` */
  onState(listener: () => void): void {
    this.stateListeners.push(listener);
  }

  status(): StatusView {
    const version = this.snapshots.version.toString();
    return {
      program: programVersion,
      startedAt: this.startedAt.toISOString(),
      version: this.versionSince === undefined ? "" : version,
      versionSince: this.versionSince?.toISOString() ?? "",
      services: this.state?.model.services.size ?? 0,
      objects: this.state?.objects.length ?? 0,
      problems: this.state?.problems ?? [],
      nodes: nodeViews(this.xds, version),
    };
  }

  /** Hostnames of all services, sorted. */
  hostnames(): string[] {
    return [...(this.state?.model.services.keys() ?? [])];
  }

  /** Of these services, as they are now. */
  async explanations(hostnames: readonly string[]): Promise<ServiceExplanation[]> {
    const { compiled } = this.state ?? {};
    return compiled === undefined ? [] : await this.explainer.explain(compiled, hostnames);
  }

  private take(state: PipelineState): void {
    const { model, compiled, problems } = state;
    this.metrics.takeState(state);
    this.problemLog.take(problems);
    this.takeMeshProblems(state);
    for (const listener of this.stateListeners) listener();
    const next = this.snapshots.next({ ...compiled, credentials: state.credentials });
    if (next === undefined) return;
    this.versionSince = new Date();
    this.metrics.takeVersion(next.version.toString(), state.takenAt);
    this.xds.set(next);
    const counts = { services: model.services.size, workloads: model.workloads.size };
    this.options.logger.info({ version: next.version.toString(), ...counts }, "new version");
  }

  private takeMeshProblems({ meshProblems }: PipelineState): void {
    const first = meshProblems.find(({ severity }) => severity === "error");
    if (first === undefined) this.readiness.recover("mesh configuration");
    else this.readiness.fail("mesh configuration", problemText(first));
  }

  private onXdsEvent(event: XdsEvent): void {
    this.metrics.takeXdsEvent(event);
    if (event.kind === "refused" && event.full === true && this.refuseForRoom(event.reason)) return;
    this.xdsLog.take(event);
  }

  private onSecretWithheld(fields: { node: string; secret: string; why: string }): void {
    this.metrics.takeSecretWithheld();
    const logger = this.options.xdsLogger ?? this.options.logger;
    logger.warn(
      { ...fields, secret: fields.secret.slice(0, 300) },
      "a proxy does not get a secret it asks for",
    );
  }

  /** @returns whether it is known already that there is no room: not each of ten thousand streams is a line of the log */
  private refuseForRoom(why: string): boolean {
    const part = "xDS streams";
    if (Object.hasOwn(this.readiness.problems, part)) return true;
    this.readiness.fail(part, `${why}; more are refused`, () => !this.xds.isFull);
    return false;
  }
}
