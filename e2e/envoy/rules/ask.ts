import { Agent, type IncomingHttpHeaders, request } from "node:http";
import type { Tally } from "../../world/tally.ts";
import { count } from "../../world/tally.ts";
import type { Echo } from "./echo-backend.ts";

export interface Question {
  readonly port: number;
  readonly path?: string;
  readonly method?: string;
  /** "host" among them says whom it is for. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** What a backend got; undefined if none answered. */
  readonly echo: Echo | undefined;
  /** From the first byte sent to the last one got. */
  readonly ms: number;
}

/** Keeps connections, as many as there are questions at once. */
const agent = new Agent({ keepAlive: true });

/** Asks something at 127.0.0.1. @throws Error if there is no answer at all */
export function ask({ port, path = "/", method = "GET", headers = {} }: Question): Promise<Answer> {
  const begin = performance.now();
  return new Promise((resolve, reject) => {
    const options = {
      host: "127.0.0.1",
      port,
      path,
      method,
      headers: { ...headers },
      agent,
      timeout: 20_000,
    };
    const call = request(options, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (piece: string) => (body += piece));
      response.once("error", reject);
      response.once("end", () => {
        const { statusCode: status = 0, headers: answered } = response;
        const fromBackend = answered["content-type"] === "application/json" && body !== "";
        const echo = fromBackend ? (JSON.parse(body) as Echo) : undefined;
        resolve({ status, headers: answered, body, echo, ms: performance.now() - begin });
      });
    });
    call.once("timeout", () => call.destroy(new Error(`${path}: no answer within 20 s`)));
    call.once("error", reject);
    call.end();
  });
}

/** Asks the same `times` times, some at once. @returns how often there was what `of` makes of an answer */
export async function tally(
  question: Question,
  times: number,
  of: (answer: Answer) => string,
): Promise<Tally> {
  const seen: Tally = {};
  let left = times;
  const sender = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      count(seen, of(await ask(question)));
    }
  };
  await Promise.all(Array.from({ length: 8 }, sender));
  return seen;
}

export const backendOf = ({ status, echo }: Answer): string => echo?.backend ?? `status ${status}`;
