import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { http } from "./http.ts";
import { requirePeer } from "./peer-cache.ts";
import { PeerProcess, type Place, peerRunFolder } from "./peer-process.ts";

export interface EnvoyOptions {
  /**
   * An envoy.config.bootstrap.v3.Bootstrap as JSON; its admin interface is added if it has none, on a Unix socket, which
   * can be reached across network namespaces. May be a function of the folder that Envoy will start in.
   */
  readonly bootstrap: Bootstrap | ((folder: string) => Bootstrap);
  /** "live" waits until all that the bootstrap asks xDS servers for is there; "admin" until Envoy runs. */
  readonly until?: "live" | "admin";
  /** More of its command line, such as ["--log-level", "debug"]. */
  readonly args?: readonly string[];
  readonly place?: Place;
}

export type Bootstrap = Readonly<Record<string, unknown>>;

/** A running Envoy, of one worker thread. */
export class Envoy {
  readonly process: PeerProcess;
  private readonly adminSocket: string;

  constructor(process: PeerProcess, adminSocket: string) {
    this.process = process;
    this.adminSocket = adminSocket;
  }

  get logFile(): string {
    return this.process.logFile;
  }

  /**
   * Asks the admin interface, such as "/config_dump" or "/stats?format=json".
   * @throws Error if it answers with something else than 200.
   */
  async admin(path: string, method: "GET" | "POST" = "GET"): Promise<string> {
    const { status, body } = await http({ socketPath: this.adminSocket, path, method });
    if (status === 200) return body;
    throw new Error(`${this.process.title}: ${method} ${path} answered ${status}: ${body.slice(0, 300)}`);
  }

  /** "LIVE" once all initial configuration is there; "PRE_INITIALIZING" or "INITIALIZING" before. */
  async state(): Promise<string> {
    return (await http({ socketPath: this.adminSocket, path: "/ready" })).body.trim();
  }

  stop(): Promise<void> {
    return this.process.stop();
  }
}

/** @throws Error if Envoy is not set up, refuses the bootstrap, or does not get as far as asked. */
export async function startEnvoy(options: EnvoyOptions): Promise<Envoy> {
  const { program } = await requirePeer("envoy");
  const folder = await peerRunFolder("envoy");
  const adminSocket = join(folder, "admin.sock");
  const admin = { address: { pipe: { path: adminSocket } } };
  const bootstrap = typeof options.bootstrap === "function" ? options.bootstrap(folder) : options.bootstrap;
  const file = join(folder, "bootstrap.json");
  await writeFile(file, JSON.stringify({ ...bootstrap, admin }, null, 2));
  const process = new PeerProcess(folder, {
    title: "envoy",
    // Without hot restart there is no shared memory that two Envoys could meet in.
    command: [program, "-c", file, "--concurrency", "1", "--disable-hot-restart", ...(options.args ?? [])],
    ...(options.place ? { place: options.place } : {}),
  });
  const envoy = new Envoy(process, adminSocket);
  const wanted = options.until ?? "live";
  await process.ready(async () => (await envoy.state()) === "LIVE" || wanted === "admin");
  return envoy;
}
