import { once } from "node:events";
import { createServer } from "node:http";
import { promisify } from "node:util";

/** What reached an endpoint. */
export interface Echo {
  /** The address that was called. */
  readonly address: string;
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];
}

/** By which an echo finds its question. */
export const questionHeader = "x-question";

/** What every answer says; rules change it. */
export const answerHeaders = ["content-type", "text/x-echo", "x-old", "1", "x-gone", "2", "x", "3"];

export interface EchoServer extends AsyncDisposable {
  readonly port: number;
  /** What came of a question. */
  readonly echoes: (question: string) => readonly Echo[];
}

/** Answers 200 at every address of 127.0.0.0/8. */
export async function startEcho(): Promise<EchoServer> {
  const seen = new Map<string, Echo[]>();
  const server = createServer(({ socket, method = "", url = "", rawHeaders, headers }, response) => {
    const question = String(headers[questionHeader]);
    const echo = { address: socket.localAddress ?? "", method, target: url, rawHeaders };
    seen.set(question, [...(seen.get(question) ?? []), echo]);
    response.writeHead(200, answerHeaders).end();
  });
  server.listen(0, "0.0.0.0");
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("the echo has no port");
  return {
    port: bound.port,
    echoes: (question) => seen.get(question) ?? [],
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await promisify(server.close.bind(server))();
    },
  };
}
