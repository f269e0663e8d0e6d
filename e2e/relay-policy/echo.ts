import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { listenInNamespace, type NetnsPath } from "bpf-maps-native";

/** What reached an endpoint. */
export interface Echo {
  /** The address that was called. */
  readonly address: string;
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];
  readonly content: string;
}

/** By which an echo finds its question. */
export const questionHeader = "x-question";

/** A request that has it is answered in chunks; else an answer says its length. */
export const chunkedAnswer = ["X-Answer", "chunked"] as const;

/** What every answer says; rules change it. */
export const answerHeaders = ["content-type", "text/x-echo", "x-old", "1", "x-gone", "2", "x", "3"];

/** What an answer to such a request contains. */
export const answerContent = ({ method, target }: Pick<Echo, "method" | "target">): string =>
  method === "HEAD" ? "" : `${method} ${target}`;

export interface EchoServer extends AsyncDisposable {
  readonly port: number;
  /** What came of a question. */
  readonly echoes: (question: string) => readonly Echo[];
}

/** Answers 200 at every address of 127.0.0.0/8. @param network this process's own if left out */
export async function startEcho(network?: NetnsPath): Promise<EchoServer> {
  const seen = new Map<string, Echo[]>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { socket, method = "", url: target = "", rawHeaders, headers } = request;
    const echo = {
      address: socket.localAddress ?? "",
      method,
      target,
      rawHeaders,
      content: await text(request),
    };
    const question = String(headers[questionHeader]);
    seen.set(question, [...(seen.get(question) ?? []), echo]);
    const content = answerContent(echo);
    const isChunked = method !== "HEAD" && headers[chunkedAnswer[0].toLowerCase()] === chunkedAnswer[1];
    const length = isChunked ? [] : ["content-length", `${Buffer.byteLength(content)}`];
    response.writeHead(200, [...answerHeaders, ...length]).end(content);
  };
  const server = createServer((request, response) => {
    // A request that is not there to its end has no answer.
    answer(request, response).catch(() => response.destroy());
  });
  // Else a connection could end just as a request comes on it, which then fails.
  server.keepAliveTimeout = 0;
  server.listen({ fd: await listenInNamespace(network, { address: "0.0.0.0", port: 0 }) });
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
