import { type RequestOptions, request } from "node:http";

/** Where a JSON document is served: a TCP port or a Unix socket. */
export type JsonServer = { readonly host: string; readonly port: number } | { readonly socketPath: string };

export interface JsonAnswer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * Gets a document over HTTP on a connection of its own.
 * @throws Error if nobody answers within 20 s, or not with JSON.
 */
export function getJson(server: JsonServer, path: string): Promise<JsonAnswer> {
  const options: RequestOptions = { ...server, path, agent: false, timeout: 20_000 };
  return new Promise((resolve, reject) => {
    const call = request(options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => (text += piece));
      response.once("error", reject);
      response.once("end", () => {
        const body = parse(text);
        if (body !== undefined) resolve({ status: response.statusCode ?? 0, body });
        else reject(new Error(`${path} answered ${response.statusCode} with no JSON: ${text.slice(0, 200)}`));
      });
    });
    call.once("timeout", () => call.destroy(new Error(`${path}: no answer within 20 s`)));
    call.once("error", reject);
    call.end();
  });
}

/** @returns undefined if the text is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
