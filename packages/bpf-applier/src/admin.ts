import { mkdir, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { dirname } from "node:path";
import { toJson } from "@bufbuild/protobuf";
import { EdgeSchema } from "@keelson/protos/telemetry";
import type { Applier } from "./applier.ts";

const text = (value: unknown): string =>
  `${JSON.stringify(value, (_, v: unknown) => (typeof v === "bigint" ? v.toString() : v), 2)}\n`;

async function answer(applier: Applier, path: string | undefined): Promise<string | undefined> {
  switch (path) {
    case "/status":
      return text(applier.status());
    case "/edges":
      return text((await applier.edges()).map((edge) => toJson(EdgeSchema, edge)));
    default:
      return undefined;
  }
}

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
 * Serves /status and /edges as JSON on a Unix socket that only root can open. The socket is also what keeps two
 * appliers from serving one node: see `claim`.
 */
export class AdminSocket {
  private readonly server: Server;
  private applier: Applier | undefined;
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
    this.server = createServer((request, response) => {
      const respond = (status: number, body: string): void => {
        response.writeHead(status, { "content-type": "application/json" }).end(body);
      };
      if (this.applier === undefined) {
        respond(503, text({ error: "starting" }));
        return;
      }
      answer(this.applier, request.url).then(
        (body) =>
          body === undefined ? respond(404, text({ paths: ["/status", "/edges"] })) : respond(200, body),
        (error: Error) => respond(500, text({ error: error.message })),
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

  serve(applier: Applier): void {
    this.applier = applier;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
