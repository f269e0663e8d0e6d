import { promisify } from "node:util";
import * as grpc from "@grpc/grpc-js";
import type { Admit } from "../server/admission.ts";
import type { XdsEvent } from "../server/events.ts";
import { XdsServer, type XdsServerOptions } from "../server/xds-server.ts";
import { serverOptions } from "../service.ts";

/** An XdsServer on a port of its own on loopback, and what happened on it. */
export class TestServer implements Disposable {
  readonly xds: XdsServer;
  readonly events: readonly XdsEvent[];
  readonly port: number;
  private readonly grpcServer: grpc.Server;

  private constructor(xds: XdsServer, grpcServer: grpc.Server, port: number, events: XdsEvent[]) {
    this.xds = xds;
    this.grpcServer = grpcServer;
    this.port = port;
    this.events = events;
  }

  static async start(
    options: Partial<XdsServerOptions> = {},
    { port = 0, admit }: { port?: number; admit?: Admit } = {},
  ): Promise<TestServer> {
    const events: XdsEvent[] = [];
    const xds = new XdsServer({ types: [], onEvent: (event) => events.push(event), ...options });
    const server = new grpc.Server(serverOptions);
    xds.register(server, admit);
    const bind = promisify(server.bindAsync.bind(server));
    const bound = await bind(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure());
    return new TestServer(xds, server, bound, events);
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  eventsOf<K extends XdsEvent["kind"]>(kind: K): Extract<XdsEvent, { kind: K }>[] {
    return this.events.filter((event): event is Extract<XdsEvent, { kind: K }> => event.kind === kind);
  }

  /** Ends all connections at once, as a crash does. */
  [Symbol.dispose](): void {
    this.grpcServer.forceShutdown();
  }
}
