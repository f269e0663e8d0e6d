import { setTimeout as delay } from "node:timers/promises";
import * as grpc from "@grpc/grpc-js";
import type { ApiServer } from "@keelson/sources";
import type { FastifyInstance } from "fastify";
import { openGuard } from "../auth/peer-guard.ts";
import type { SecureServing } from "../ca/secure-serving.ts";
import type { ControlPlane } from "../control-plane.ts";
import { formatHostPort, type ListenAddress } from "../listen-address.ts";
import type { ProgramLog } from "../logging/program-log.ts";
import type { DiscoverySettings } from "../settings/discovery-settings.ts";
import { addV1 } from "../v1/add-v1.ts";
import { httpServer, monitoringServer, webhookServer } from "./http-server.ts";
import { type Listen, listenOn, plainListen } from "./listen.ts";
import { openServing } from "./secure.ts";
import { sharedPort } from "./shared-port.ts";

/** Between two tries to get a port that another program has. */
const retryMs = 2_000;

/** One port: what it is for, and the flag that moves it. */
interface Port {
  readonly flag: string;
  readonly serves: string;
  readonly address: ListenAddress | undefined;
}

/**
 * All ports of a control plane. Only that of xDS must be had; another one that cannot be had is named in the log and in
 * /ready and tried again, and the rest goes on.
 */
export class Servers {
  private readonly controlPlane: ControlPlane;
  private readonly settings: DiscoverySettings;
  private readonly log: ProgramLog;
  private readonly apiServer: ApiServer | undefined;
  private readonly http: FastifyInstance[] = [];
  private readonly closers: (() => Promise<void>)[] = [];
  /** Flag → the port that it led to. */
  private readonly ports = new Map<string, number>();
  private readonly closing = new AbortController();
  private serving: SecureServing | undefined;

  /** @param apiServer that knows callers by their tokens; undefined where there is no Kubernetes */
  constructor(
    controlPlane: ControlPlane,
    settings: DiscoverySettings,
    log: ProgramLog,
    apiServer?: ApiServer,
  ) {
    this.controlPlane = controlPlane;
    this.settings = settings;
    this.log = log;
    this.apiServer = apiServer;
  }

  /**
   * Opens the ports that tell of the control plane, from before it is ready.
   * @throws Error if one of them is also that of xDS, and cannot be had
   */
  async openHttp(): Promise<void> {
    const { controlPlane, settings } = this;
    const { http, grpc: xds, monitoring, oldMonitoring } = settings.addresses;
    const main = { flag: "--httpAddr", serves: "/ready, /metrics, /debug and /v1", address: http };
    const server = this.keep(httpServer(controlPlane));
    addV1(server, controlPlane, settings.v1, this.log("http"));
    if (xds === undefined) await this.openShared({ ...main, serves: `xDS, ${main.serves}` }, server);
    else await this.open(main, fastifyListen(server));
    const serves = "/metrics, /version and /debug";
    for (const port of [
      { flag: "--monitoringAddr", serves, address: monitoring },
      { flag: "--monitoringPort", serves, address: oldMonitoring },
    ]) {
      await this.open(port, fastifyListen(this.keep(monitoringServer(controlPlane))));
    }
  }

  /**
   * Opens the ports of xDS, and those with TLS, for which the configuration must have been read.
   * @throws Error naming the address of xDS in the clear, if it cannot be had
   */
  async openXds(): Promise<void> {
    const { grpc: xds, secureGrpc, https, admission } = this.settings.addresses;
    if (xds !== undefined) {
      const port = await this.controlPlane.listen(xds);
      this.tell({ flag: "--grpcAddr", serves: "xDS", address: xds }, port);
    }
    if ([secureGrpc, https, admission].every((address) => address === undefined)) return;
    const serving = await this.openServing();
    this.serving = serving;
    if (serving === undefined) return;
    const guard = this.settings.security.authenticationRequired ? serving.guard : openGuard;
    const server = this.controlPlane.makeServer(guard);
    serving.register(server);
    const serves = "xDS and certificates with TLS";
    const listen = serving.listener(server, (listener) => this.controlPlane.guard.follow(listener));
    await this.open({ flag: "--secureGRPCAddr", serves, address: secureGrpc }, listen);
    for (const port of [
      { flag: "--httpsAddr", serves: "webhooks", address: https },
      { flag: "--admission-service-port", serves: "webhooks", address: admission },
    ]) {
      const webhooks = webhookServer(this.controlPlane, serving, this.log("http"));
      await this.open(port, fastifyListen(this.keep(webhooks)));
    }
  }

  /** What serves TLS; undefined if nothing does. */
  get secure(): SecureServing | undefined {
    return this.serving;
  }

  isOpen(flag: string): boolean {
    return this.ports.has(flag);
  }

  /** The port that a flag's address led to. @throws Error if it is not open */
  port(flag: string): number {
    const port = this.ports.get(flag);
    if (port === undefined) throw new Error(`no port is open for ${flag}`);
    return port;
  }

  async close(): Promise<void> {
    this.closing.abort();
    await Promise.all(this.closers.map((close) => close()));
    await Promise.all(this.http.map((server) => server.close()));
  }

  /** @returns undefined if there is nothing to serve TLS with; why is in the log and in /ready */
  private async openServing(): Promise<SecureServing | undefined> {
    const { controlPlane, settings, log } = this;
    try {
      const serving = await openServing(controlPlane, settings, {
        logger: log("ca"),
        apiServer: this.apiServer,
      });
      if (serving === undefined) {
        log("ca").info("no port with TLS is opened: by the environment, nobody makes a certificate for it");
      } else {
        this.closers.push(() => serving.close());
        controlPlane.authenticators = serving.authenticators;
      }
      return serving;
    } catch (error) {
      const { message } = error as Error;
      controlPlane.readiness.fail("TLS", message);
      log("ca").error(`no port with TLS is opened: ${message}`);
      return undefined;
    }
  }

  private keep(server: FastifyInstance): FastifyInstance {
    this.http.push(server);
    this.controlPlane.guard.followHttp(server.server);
    return server;
  }

  private async open(port: Port, listen: Listen): Promise<void> {
    const { flag, serves, address } = port;
    if (address === undefined) return;
    try {
      this.tell(port, await listenOn(address, listen));
    } catch (error) {
      const { message } = error as Error;
      this.controlPlane.readiness.fail(`port ${address.port}`, `${message}; ${flag} chooses another`);
      this.log("http").error(
        `${message}, so ${serves} are not served there; it is tried again, and ${flag} chooses another address`,
      );
      // Ends with an error only when all is closed.
      this.tryAgain(port, address, listen).catch(() => undefined);
    }
  }

  /** Who has the port may be about to end, as a control plane that this one follows. */
  private async tryAgain(port: Port, address: ListenAddress, listen: Listen): Promise<void> {
    const { signal } = this.closing;
    for (;;) {
      await delay(retryMs, undefined, { ref: false, signal });
      const bound = await listenOn(address, listen).catch(() => undefined);
      if (bound === undefined) continue;
      this.controlPlane.readiness.recover(`port ${address.port}`);
      this.tell(port, bound);
      return;
    }
  }

  /** gRPC in the clear and HTTP/1 on one port. */
  private async openShared(shared: Port, server: FastifyInstance): Promise<void> {
    const { address } = shared;
    if (address === undefined) return;
    await server.ready();
    const credentials = grpc.ServerCredentials.createInsecure();
    const injector = this.controlPlane.makeServer().createConnectionInjector(credentials);
    const listener = sharedPort(server.server, (socket) => injector.injectConnection(socket));
    this.controlPlane.guard.follow(listener);
    const port = await listenOn(address, plainListen(listener));
    this.closers.push(async () => {
      listener.close();
    });
    this.tell(shared, port);
  }

  private tell({ flag, serves, address }: Port, port: number): void {
    this.ports.set(flag, port);
    const bound = address === undefined ? port : formatHostPort({ ...address, port });
    this.log("http").info({ address: bound }, `serving ${serves}`);
  }
}

const fastifyListen =
  (server: FastifyInstance): Listen =>
  async (address) => {
    await server.listen(address);
    const bound = server.server.address();
    return typeof bound === "object" && bound !== null ? bound.port : address.port;
  };
