import { type RequestOptions, request } from "node:http";

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * One HTTP request on a connection of its own.
 * @throws Error if nobody answers within 30 s.
 */
export function http(options: RequestOptions): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const call = request({ agent: false, timeout: 30_000, ...options }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => (body += piece));
      response.once("error", reject);
      response.once("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    call.once("timeout", () => call.destroy(new Error(`${options.path}: no answer within 30 s`)));
    call.once("error", reject);
    call.end();
  });
}
