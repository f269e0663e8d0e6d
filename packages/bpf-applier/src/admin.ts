import { mkdir, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { connect } from "node:net";
import { dirname } from "node:path";
import { toJson } from "@bufbuild/protobuf";
import { EdgeSchema } from "@keelson/protos/telemetry";
import type { NodeAgent } from "./node-agent.ts";
import { showRequests } from "./observe/show-requests.ts";

/** Paths of the socket. */
export const adminPaths = {
  status: "/status",
  edges: "/edges",
  observe: "/observe",
  uninstall: "/uninstall",
} as const;

const text = (value: unknown): string =>
  `${JSON.stringify(value, (_, v: unknown) => (typeof v === "bigint" ? v.toString() : v), 2)}\n`;

/** Whether a process listens on the socket. */
function isAlive(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}

/**
 * Serves /status and /edges as JSON, single requests at /observe as lines of JSON, and takes /uninstall (POST), on a Unix socket that only root can open. The socket is
 * also what keeps two appliers from serving one node: see `claim`.
 */
export class AdminSocket {
  private readonly server: Server;
  private agent: NodeAgent | undefined;
  /** Takes everything off the node; from then on another agent is served. */
  private uninstall: (() => Promise<number>) | undefined;
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
    this.server = createServer((request, response) => {
      const url = new URL(request.url ?? "", "http://localhost");
      if (url.pathname === adminPaths.observe && this.agent !== undefined) {
        showRequests(this.agent, url.searchParams, response);
        return;
      }
      const respond = (status: number, body: unknown): void => {
        response.writeHead(status, { "content-type": "application/json" }).end(text(body));
      };
      this.answer(request).then(
        ({ status, body }) => respond(status, body),
        (error: Error) => respond(500, { error: error.message }),
      );
    });
  }

  /** @throws Error if another applier serves this node. */
  static async claim(path: string): Promise<AdminSocket> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    if (await isAlive(path)) throw new Error(`another bpf-applier serves this node (${path} answers)`);
    await rm(path, { force: true });
    const admin = new AdminSocket(path);
    await new Promise<void>((resolve, reject) => {
      admin.server.once("error", reject);
      admin.server.listen(path, resolve);
    });
    return admin;
  }

  serve(agent: NodeAgent, uninstall: () => Promise<number>): void {
    this.agent = agent;
    this.uninstall = uninstall;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async answer({ method, url }: IncomingMessage): Promise<{ status: number; body: unknown }> {
    if (this.agent === undefined || this.uninstall === undefined)
      return { status: 503, body: { error: "starting" } };
    switch (url) {
      case adminPaths.status:
        return { status: 200, body: this.agent.status() };
      case adminPaths.edges:
        return { status: 200, body: (await this.agent.edges()).map((edge) => toJson(EdgeSchema, edge)) };
      case adminPaths.uninstall:
        if (method !== "POST") return { status: 405, body: { error: "to be asked with POST" } };
        return { status: 200, body: { detached: await this.uninstall() } };
      default:
        return { status: 404, body: { paths: Object.values(adminPaths) } };
    }
  }
}
