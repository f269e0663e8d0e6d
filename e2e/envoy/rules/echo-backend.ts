import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { count, type Tally } from "../../world/tally.ts";
import { type HttpBackend, startHttpBackend } from "../http-backend.ts";

/** What a request asks of a backend, in its headers. */
export const wishes = {
  /** Answer 503 to so many requests of this case before one is answered well. */
  failFirst: "x-fail-first",
  /** Wait so many ms before the answer. */
  wait: "x-wait-ms",
  /** Which case of a test it belongs to. */
  case: "x-case",
} as const;

/** What a backend answers: who it is, and what reached it. */
export interface Echo {
  readonly backend: string;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export interface EchoBackend extends HttpBackend {
  /** Requests by case. */
  readonly seen: Tally;
  /** Hosts that requests of a case were for, the last one. */
  readonly hosts: Readonly<Record<string, string>>;
}

export async function startEchoBackend(name: string, address: string): Promise<EchoBackend> {
  const seen: Tally = {};
  const hosts: Record<string, string> = {};
  const answer = async ({ method = "", url = "", headers }: IncomingMessage, response: ServerResponse) => {
    const asked = String(headers[wishes.case] ?? "");
    count(seen, asked);
    hosts[asked] = headers.host ?? "";
    await delay(Number(headers[wishes.wait] ?? 0));
    const fails = (seen[asked] ?? 0) <= Number(headers[wishes.failFirst] ?? 0);
    const echo: Echo = { backend: name, method, url, headers };
    const head = { "content-type": "application/json", "x-backend": name };
    response.writeHead(fails ? 503 : 200, head).end(JSON.stringify(echo));
  };
  const backend = await startHttpBackend(
    name,
    address,
    (request, response) => void answer(request, response),
  );
  return { ...backend, seen, hosts };
}
