import * as grpc from "@grpc/grpc-js";
import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import type { ControlPlane } from "../control-plane.ts";
import { formatHostPort, type ListenAddress } from "../listen-address.ts";
import type { DiscoverySettings } from "../settings/discovery-settings.ts";
import { addV1 } from "../v1/add-v1.ts";
import { httpServer, monitoringServer } from "./http-server.ts";
import { type Listen, listenOn, plainListen } from "./listen.ts";
import { sharedPort } from "./shared-port.ts";

/** One port: what it is for, and the flag that moves it. */
interface Port {
  readonly flag: string;
  readonly serves: string;
  readonly address: ListenAddress | undefined;
}

/**
 * All ports of a control plane. Only that of xDS must be had; another one that cannot be had is named in the log and in
 * /ready, and the rest goes on.
 */
export class Servers {
  private readonly controlPlane: ControlPlane;
  private readonly settings: DiscoverySettings;
  private readonly logger: Logger;
  private readonly http: FastifyInstance[] = [];
  private readonly closers: (() => void)[] = [];

  constructor(controlPlane: ControlPlane, settings: DiscoverySettings, logger: Logger) {
    this.controlPlane = controlPlane;
    this.settings = settings;
    this.logger = logger;
  }

  /** Opens the ports that tell of the control plane, from before it is ready. @throws Error if one of them is that of xDS, and cannot be had */
  async openHttp(): Promise<void> {
    const { controlPlane, settings } = this;
    const { http, grpc: xds, monitoring, oldMonitoring } = settings.addresses;
    const main = { flag: "--httpAddr", serves: "/ready, /metrics, /debug and /v1", address: http };
    const server = this.keep(httpServer(controlPlane, settings.debug));
    addV1(server, controlPlane, settings.v1, this.logger);
    if (xds === undefined) await this.openShared({ ...main, serves: `xDS, ${main.serves}` }, server);
    else await this.open(main, fastifyListen(server));
    const serves = "/metrics, /version and /debug";
    for (const port of [
      { flag: "--monitoringAddr", serves, address: monitoring },
      { flag: "--monitoringPort", serves, address: oldMonitoring },
    ]) {
      await this.open(port, fastifyListen(this.keep(monitoringServer(controlPlane, settings.debug))));
    }
  }

  /** Opens the ports of xDS. @throws Error naming the address that cannot be had */
  async openXds(): Promise<void> {
    const { grpc: address } = this.settings.addresses;
    if (address === undefined) return;
    const port = await this.controlPlane.listen(address);
    this.logger.info({ address: formatHostPort({ ...address, port }) }, "serving xDS");
  }

  async close(): Promise<void> {
    for (const close of this.closers) close();
    await Promise.all(this.http.map((server) => server.close()));
  }

  private keep(server: FastifyInstance): FastifyInstance {
    this.http.push(server);
    return server;
  }

  private async open({ flag, serves, address }: Port, listen: Listen): Promise<void> {
    if (address === undefined) return;
    try {
      const port = await listenOn(address, listen);
      this.logger.info({ address: formatHostPort({ ...address, port }) }, `serving ${serves}`);
    } catch (error) {
      const { message } = error as Error;
      this.controlPlane.readiness.fail(`port ${address.port}`, `${message}; ${flag} chooses another`);
      this.logger.error(`${message}, so ${serves} are not served there; ${flag} chooses another address`);
    }
  }

  /** gRPC in the clear and HTTP/1 on one port. */
  private async openShared({ serves, address }: Port, server: FastifyInstance): Promise<void> {
    if (address === undefined) return;
    await server.ready();
    const injector = this.controlPlane
      .makeServer()
      .createConnectionInjector(grpc.ServerCredentials.createInsecure());
    const shared = sharedPort(server.server, (socket) => injector.injectConnection(socket));
    const port = await listenOn(address, plainListen(shared));
    this.closers.push(() => shared.close());
    this.logger.info({ address: formatHostPort({ ...address, port }) }, `serving ${serves}`);
  }
}

const fastifyListen =
  (server: FastifyInstance): Listen =>
  async (address) =>
    Number(new URL(await server.listen(address)).port) || address.port;
