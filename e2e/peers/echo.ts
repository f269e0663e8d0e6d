import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { z } from "zod";
import { requirePeer } from "./peer-cache.ts";
import { PeerProcess, type Place, peerRunFolder } from "./peer-process.ts";

/** The gRPC libraries whose clients and servers there are; all programs take and print the same. */
export const grpcLanguages = ["grpc-go", "grpcio", "grpc-js"] as const;

export type GrpcLanguage = (typeof grpcLanguages)[number];

/** The bootstrap of gRPC's own xDS client, as JSON; needed for targets and servers of xDS. */
export type GrpcBootstrap = Readonly<Record<string, unknown>>;

interface EchoOptions {
  readonly language: GrpcLanguage;
  readonly bootstrap?: GrpcBootstrap;
  readonly place?: Place;
  /** More of its environment, such as GRPC_TRACE. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface EchoClientOptions extends EchoOptions {
  /** What it dials, such as "xds:///echo.default.svc.cluster.local:8080" or "127.0.0.1:8080". */
  readonly target: string;
}

/** Calls to make; one at a time, with a deadline of 5,000 ms and no headers, unless it says otherwise. */
export interface EchoBatch {
  readonly count: number;
  readonly concurrency?: number;
  readonly deadlineMs?: number;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const tallySchema = z.object({
  /** Calls by the name of the server that answered. */
  answers: z.record(z.string(), z.number()),
  /** Calls by the name of the status code they ended with: "UNAVAILABLE". */
  failures: z.record(z.string(), z.number()),
  /** What the first failure said; empty without one. */
  firstFailure: z.string(),
});

export type EchoTally = Readonly<z.infer<typeof tallySchema>>;

/** A client with one channel, which sends batches one after the other. */
export class EchoClient {
  readonly process: PeerProcess;
  private readonly lines: AsyncIterator<string>;

  constructor(process: PeerProcess, lines: Interface) {
    this.process = process;
    this.lines = lines[Symbol.asyncIterator]();
  }

  /** Sends a batch and says what came of it; not to be called while another batch is under way. */
  async send(batch: EchoBatch): Promise<EchoTally> {
    const defaults = { concurrency: 1, deadlineMs: 5_000, text: "hello", headers: {} };
    this.process.process.child.stdin?.write(`${JSON.stringify({ ...defaults, ...batch })}\n`);
    const { done, value } = await this.lines.next();
    if (done !== true) return tallySchema.parse(JSON.parse(value));
    await this.process.process.ended;
    await this.process.process.assertAlive();
    throw new Error(`${this.process.title} closed its output`);
  }

  stop(): Promise<void> {
    return this.process.stop();
  }
}

/** @throws Error if the language is not set up. */
export async function startEchoClient(options: EchoClientOptions): Promise<EchoClient> {
  const { process, lines } = await startEcho(options, "client", ["--target", options.target]);
  return new EchoClient(process, lines);
}

export interface EchoServerOptions extends EchoOptions {
  /** What it calls itself in its answers. */
  readonly name: string;
  /** IP:port; port 0 lets the system choose, but not for an xDS server. 127.0.0.1:0 if left out. */
  readonly listen?: string;
  /** Whether it takes its listener's configuration from xDS. */
  readonly xds?: boolean;
}

/** One line of a server: that it has its port, or, of an xDS server, whether it may serve. grpcio tells only the first. */
const serverLineSchema = z.union([
  z.object({ listening: z.string() }),
  z.object({ serving: z.boolean(), reason: z.string() }),
]);

export class EchoServer {
  readonly process: PeerProcess;
  /** IP:port. */
  readonly address: string;
  /** What xDS servers on grpc-go and grpc-js have said about serving, oldest first. */
  readonly serving: readonly { readonly serving: boolean; readonly reason: string }[];

  constructor(process: PeerProcess, address: string, serving: EchoServer["serving"]) {
    this.process = process;
    this.address = address;
    this.serving = serving;
  }

  stop(): Promise<void> {
    return this.process.stop();
  }
}

/** Returns when the server listens. @throws Error if the language is not set up or the server ends before. */
export async function startEchoServer(options: EchoServerOptions): Promise<EchoServer> {
  const { name, listen = "127.0.0.1:0", xds = false } = options;
  const args = ["--name", name, "--listen", listen, ...(xds ? ["--xds"] : [])];
  const { process, lines } = await startEcho(options, "server", args);
  const serving: { serving: boolean; reason: string }[] = [];
  let address: string | undefined;
  lines.on("line", (text) => {
    const line = serverLineSchema.parse(JSON.parse(text));
    if ("listening" in line) address = line.listening;
    else serving.push(line);
  });
  await process.ready(async () => address !== undefined);
  if (address === undefined) throw new Error(`${process.title} has no address`);
  return new EchoServer(process, address, serving);
}

async function startEcho(options: EchoOptions, role: "client" | "server", args: readonly string[]) {
  const { language, bootstrap, place, environment } = options;
  const title = `${language}-${role}`;
  const program = await programOf(language);
  const folder = await peerRunFolder(title);
  const process = new PeerProcess(folder, {
    title,
    command: [...program, role, ...args],
    pipeOutput: true,
    environment: {
      ...(bootstrap ? { GRPC_XDS_BOOTSTRAP_CONFIG: JSON.stringify(bootstrap) } : {}),
      ...environment,
    },
    ...(place ? { place } : {}),
  });
  const { stdout } = process.process.child;
  if (stdout === null) throw new Error(`${title} has no standard output`);
  return { process, lines: createInterface(stdout) };
}

async function programOf(language: GrpcLanguage): Promise<[string, ...string[]]> {
  const ours = import.meta.dirname;
  if (language === "grpc-js") return [process.execPath, join(ours, "grpc-js", "main.ts")];
  const { program } = await requirePeer(language);
  // -B: no compiled files in the source tree.
  return language === "grpcio" ? [program, "-B", join(ours, "grpcio", "echo_peer.py")] : [program];
}
