import { z } from "zod";
import type { ProcessOptions } from "../../world/running-process.ts";
import { nativeProgram } from "../native-programs.ts";
import { LineProcess } from "./line-process.ts";

/** What is dialled: an address and port, or the path of a Unix socket. */
export type Target = { readonly address: string; readonly port: number } | { readonly path: string };

/** How requests are sent; native/http-load.c says what each does. */
export interface Load {
  readonly mode: "closed" | "open" | "connects";
  readonly connections: number;
  /** Bytes of each answer's body, up to 1 MiB. */
  readonly size: number;
  /** Requests a second, of the open loop. */
  readonly rate?: number;
  /**
   * File of raw heads of requests that are sent in turn, each for `size` bytes; one such request if left out, which "http2"
   * sends over HTTP/2 with prior knowledge, a stream at a time on each connection.
   */
  readonly heads?: string;
}

export interface LoadTimes {
  readonly warmMs: number;
  readonly measureMs: number;
  /** Whose busy time is told; all CPUs together if left out. */
  readonly cpu?: number;
}

const nanoseconds = z.number().nonnegative();

const result = z.strictObject({
  /** Requests and connections in all, before and after the time measured, too. */
  sent: z.int(),
  connections: z.int(),
  /** Answers in the time measured; of the open loop, those whose requests were due in it. */
  measured: z.int(),
  nanoseconds,
  busyNanoseconds: nanoseconds,
  latency: z.strictObject({
    mean: nanoseconds,
    p50: nanoseconds,
    p99: nanoseconds,
    p999: nanoseconds,
    most: nanoseconds,
  }),
});
export type LoadResult = Readonly<z.infer<typeof result>>;

const failure = z.strictObject({ error: z.string() });

/** The generator of requests, native/http-load.c. One task at a time. */
export class HttpLoad {
  private readonly process: LineProcess;

  private constructor(process: LineProcess) {
    this.process = process;
  }

  static async start(options: Omit<ProcessOptions, "command">): Promise<HttpLoad> {
    return new HttpLoad(LineProcess.start({ ...options, command: [await nativeProgram("http-load")] }));
  }

  /** @throws Error if a connection failed, an answer was wrong or did not come. */
  send(
    target: Target,
    { mode, connections, size, rate = 0, heads = "-" }: Load,
    times: LoadTimes,
  ): Promise<LoadResult> {
    const { warmMs, measureMs, cpu = -1 } = times;
    return this.ask([mode, ...placeOf(target), connections, size, warmMs, measureMs, rate, cpu, heads]);
  }

  /** Opens connections, makes one request on each, and leaves them open until `release` is called. */
  async hold(
    target: Target,
    { connections, size, heads = "-" }: Pick<Load, "connections" | "size" | "heads">,
  ): Promise<{ readonly result: LoadResult; readonly release: () => Promise<void> }> {
    const held = await this.ask(["hold", ...placeOf(target), connections, size, 0, 0, 0, -1, heads]);
    return { result: held, release: async () => void (await this.ask(["release"])) };
  }

  stop(): Promise<void> {
    return this.process.stop();
  }

  private async ask(words: readonly (string | number)[]): Promise<LoadResult> {
    const answer = await this.process.ask(words.join(" "));
    const failed = failure.safeParse(answer);
    if (failed.success) throw new Error(`http-load (${words.join(" ")}): ${failed.data.error}`);
    return result.parse(answer);
  }
}

const placeOf = (target: Target): readonly [string, number] =>
  "path" in target ? [target.path, 0] : [target.address, target.port];
