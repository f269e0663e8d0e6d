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
  giveUp: "/give-up",
} as const;

/** What is done with the whole agent. From then on another one is served. */
export interface AgentCommands {
  /** Takes everything off the node. @returns how many programs were detached */
  readonly uninstall: () => Promise<number>;
  /** Leaves the node to another process, which asks for it. */
  readonly giveUp: () => Promise<void>;
}

const onlyPosted = { status: 405, body: { error: "to be asked with POST" } };

const text = (value: unknown): string =>
  `${JSON.stringify(value, (_, v: unknown) => (typeof v === "bigint" ? v.toString() : v), 2)}\n`;

/** Whether a process listens on the socket. */
export function isAlive(socket: string): Promise<boolean> {
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
 * Serves /status and /edges as JSON, single requests at /observe as lines of JSON, and takes /uninstall and /give-up
 * (POST), on a Unix socket that only root can open. The socket is also what keeps two appliers from serving one node: see `claim`.
 */
export class AdminSocket {
  private readonly server: Server;
  private agent: NodeAgent | undefined;
  private commands: AgentCommands | undefined;
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
        // Who asks next is to reach whoever serves the node then.
        const headers = { "content-type": "application/json", connection: "close" };
        response.writeHead(status, headers).end(text(body));
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

  serve(agent: NodeAgent, commands: AgentCommands): void {
    this.agent = agent;
    this.commands = commands;
  }

  /** Nobody can ask any more; who has asked is answered. The path is free. */
  leave(): void {
    this.server.close();
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async answer({ method, url }: IncomingMessage): Promise<{ status: number; body: unknown }> {
    if (this.agent === undefined || this.commands === undefined)
      return { status: 503, body: { error: "starting" } };
    switch (url) {
      case adminPaths.status:
        return { status: 200, body: this.agent.status() };
      case adminPaths.edges:
        return { status: 200, body: (await this.agent.edges()).map((edge) => toJson(EdgeSchema, edge)) };
      case adminPaths.uninstall:
        if (method !== "POST") return onlyPosted;
        return { status: 200, body: { detached: await this.commands.uninstall() } };
      case adminPaths.giveUp:
        if (method !== "POST") return onlyPosted;
        await this.commands.giveUp();
        return { status: 200, body: {} };
      default:
        return { status: 404, body: { paths: Object.values(adminPaths) } };
    }
  }
}
