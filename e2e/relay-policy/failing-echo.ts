import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { promisify } from "node:util";
import { questionHeader } from "./echo.ts";

/** How an endpoint is to fail: an answer's status and headers, the end of the connection, or no answer at all. */
export type Failure =
  | { readonly kind: "answer"; readonly status: number; readonly rawHeaders: readonly string[] }
  | { readonly kind: "reset" }
  | { readonly kind: "silence" };

/** The header in which a request says how it is to fail, as JSON. */
export const failureHeader = "x-failure";

export interface FailingEcho extends AsyncDisposable {
  readonly port: number;
  /** How often a question came. */
  readonly attempts: (question: string) => number;
}

/** Fails as it is asked to, at 127.0.0.1. */
export async function startFailingEcho(): Promise<FailingEcho> {
  const attempts = new Map<string, number>();
  const server = createServer((request, response) => {
    const question = String(request.headers[questionHeader]);
    attempts.set(question, (attempts.get(question) ?? 0) + 1);
    fail(JSON.parse(String(request.headers[failureHeader])) as Failure, request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("the echo has no port");
  return {
    port: bound.port,
    attempts: (question) => attempts.get(question) ?? 0,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await promisify(server.close.bind(server))();
    },
  };
}

function fail(failure: Failure, { socket }: IncomingMessage, response: ServerResponse): void {
  if (failure.kind === "answer") response.writeHead(failure.status, [...failure.rawHeaders]).end();
  else if (failure.kind === "reset") socket.destroy();
}
