import { createHash } from "node:crypto";
import { z } from "zod";
import type { ProcessOptions } from "../../world/running-process.ts";
import { nativeProgram } from "../native-programs.ts";
import { LineProcess } from "./line-process.ts";

const counters = z.strictObject({ requests: z.int(), refused: z.int(), connections: z.int() });
export type ServerCounters = Readonly<z.infer<typeof counters>>;

/** native/http-server.c: answers GET /N with N bytes, and counts. */
export class HttpServer {
  private readonly process: LineProcess;

  private constructor(process: LineProcess) {
    this.process = process;
  }

  /** @param places ports, of all addresses, and paths of Unix sockets. Resolves when it listens on all of them. */
  static async start(
    places: readonly [string, ...string[]],
    options: Omit<ProcessOptions, "command">,
  ): Promise<HttpServer> {
    const command = [await nativeProgram("http-server"), ...places] as const;
    const process = LineProcess.start({ ...options, command });
    await process.nextLine();
    return new HttpServer(process);
  }

  /** Since its start; a request counts once all of its answer is sent. */
  async counters(): Promise<ServerCounters> {
    return counters.parse(await this.process.ask("counters"));
  }

  stop(): Promise<void> {
    return this.process.stop();
  }
}

/** SHA-256 of the body of `size` bytes that it answers with. */
export const bodyDigest = (size: number): string =>
  createHash("sha256")
    .update(Uint8Array.from({ length: size }, (_, place) => 97 + (place % 26)))
    .digest("hex");
