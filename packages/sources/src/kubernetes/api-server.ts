import * as http from "node:http";
import * as https from "node:https";
import { ApiError, statusMessage } from "./api-error.ts";
import type { CallOptions, KubeConfig } from "./kube-config.ts";

export interface GetOptions {
  readonly signal: AbortSignal;
  /** The request fails when nothing came for this time, in ms. */
  readonly idleMs: number;
}

/** What changes something: POST makes, PUT replaces, PATCH changes a part, by a JSON merge patch (RFC 7386). */
export type WriteMethod = "POST" | "PUT" | "PATCH";

interface Call extends GetOptions {
  readonly method: "GET" | WriteMethod;
  /** Undefined: nothing is sent. */
  readonly body?: object;
}

/** A larger answer is refused; a page of a list has at most a few hundred objects. */
const maximumAnswerBytes = 256 * 1024 * 1024;

/** What is read of an answer that is an error. */
const maximumErrorBytes = 64 * 1024;

const longestRetryAfterMs = 60_000;

/**
 * Kubernetes' API server. Each request has a connection of its own or one that is idle, HTTP/1.1, so that one watch that
 * hangs holds up no other.
 */
export class ApiServer {
  private readonly config: KubeConfig;

  constructor(config: KubeConfig) {
    this.config = config;
  }

  /** "https://10.96.0.1:443" */
  get url(): string {
    return this.config.server;
  }

  /** The whole answer. @throws ApiError for any status but 200; Error if there is no answer. */
  async getJson(path: string, options: GetOptions): Promise<unknown> {
    return readJson(await this.getStream(path, options));
  }

  /** The answer as it comes. @throws ApiError for any status but 200; Error if there is no answer. */
  getStream(path: string, options: GetOptions): Promise<AsyncIterable<Buffer>> {
    return this.answerTo(path, { ...options, method: "GET" });
  }

  /** Sends an object. @returns the answer. @throws ApiError for any status but 200 and 201; Error if there is no answer. */
  async send(method: WriteMethod, path: string, body: object, options: GetOptions): Promise<unknown> {
    return readJson(await this.answerTo(path, { ...options, method, body }));
  }

  private async answerTo(path: string, call: Call): Promise<AsyncIterable<Buffer>> {
    const response = await this.request(path, call);
    if (response.statusCode === 200 || response.statusCode === 201) return response;
    const seconds = Number(response.headers["retry-after"] ?? 0);
    const retryAfterMs = Number.isFinite(seconds) ? Math.min(seconds * 1000, longestRetryAfterMs) : 0;
    throw new ApiError(response.statusCode ?? 0, await errorText(response), retryAfterMs);
  }

  private async request(path: string, call: Call): Promise<http.IncomingMessage> {
    const { method, body, signal, idleMs } = call;
    const type = body === undefined ? {} : { "content-type": contentType(method) };
    const options: CallOptions = { headers: { accept: "application/json", ...type } };
    await this.config.applyTo(options);
    const url = new URL(this.url + path);
    return new Promise((resolve, reject) => {
      const { request: send } = url.protocol === "http:" ? http : https;
      const request = send(url, { ...options, method, signal, timeout: idleMs });
      request.on("timeout", () => request.destroy(new Error(`nothing came for ${idleMs / 1000} s`)));
      request.on("error", reject);
      request.on("response", resolve);
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

const contentType = (method: Call["method"]): string =>
  method === "PATCH" ? "application/merge-patch+json" : "application/json";

async function readJson(answer: AsyncIterable<Buffer>): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer) {
    bytes += chunk.length;
    if (bytes > maximumAnswerBytes)
      throw new Error(`the answer has more than the ${maximumAnswerBytes} bytes that are read`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString("utf8"));
}

async function errorText(response: AsyncIterable<Buffer>): Promise<string> {
  let text = "";
  for await (const chunk of response) {
    text += chunk.toString("utf8");
    if (text.length > maximumErrorBytes) break;
  }
  return statusMessage(text);
}
