import { readFile } from "node:fs/promises";
import { type EchoClient, type GrpcLanguage, startEchoClient } from "../peers/echo.ts";
import { proxylessBootstrap } from "../peers/grpc-bootstrap.ts";
import { type PilotDiscovery, startPilotDiscovery } from "../peers/pilot-discovery.ts";
import type { ConfigFolder } from "../world/config-folder.ts";
import { until } from "../world/until.ts";

/** What may differ between processes. */
export interface ProcessOptions {
  /** More of the node's metadata. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Folder of its certificate; none if left out. */
  readonly certificates?: string;
}

/** A control plane on a folder of files, and gRPC's own clients and servers that follow it, all on 127.0.0.1. */
export class GrpcWorld {
  private readonly pilot: PilotDiscovery;

  constructor(pilot: PilotDiscovery) {
    this.pilot = pilot;
  }

  get config(): ConfigFolder {
    return this.pilot.config;
  }

  /** Of a pod in the namespace default. @param name of the pod */
  bootstrap(name: string, options: ProcessOptions = {}) {
    const discoveryAddress = `127.0.0.1:${this.pilot.ports.grpc}`;
    return proxylessBootstrap({
      discoveryAddress,
      name,
      namespace: "default",
      address: "127.0.0.1",
      ...options,
    });
  }

  async client(
    language: GrpcLanguage,
    target: string,
    options?: ProcessOptions,
  ): Promise<EchoClient & AsyncDisposable> {
    const bootstrap = this.bootstrap(`${language}-client`, options);
    const client = await startEchoClient({ language, target, bootstrap });
    return Object.assign(client, { [Symbol.asyncDispose]: () => client.stop() });
  }

  /** Waits until some process has asked for a listener of this name. */
  async untilAsked(listener: string): Promise<void> {
    const look = async () => (await this.pilot.get("/debug/adsz")).body.includes(`"${listener}"`);
    await until(look, { what: `a process to ask for ${listener}` });
  }

  /** What nodes have rejected so far, as the log has it. */
  async rejections(): Promise<string[]> {
    const log = await readFile(this.pilot.process.logFile, "utf8");
    return log.split("\n").filter((line) => line.includes("rejected a version"));
  }

  stop(): Promise<void> {
    return this.pilot.stop();
  }
}

export const startGrpcWorld = async (): Promise<GrpcWorld> =>
  new GrpcWorld(await startPilotDiscovery({ objects: [] }));
