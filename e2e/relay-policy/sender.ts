import { Agent, request } from "node:http";
import type { KeepAliveCaller } from "../world/keep-alive-caller.ts";

export interface RawQuestion {
  readonly method: string;
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly content: string;
}

export interface RawAnswer {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: string;
}

/** Sends requests to one place. @throws Error if there is no answer */
export type Send = (question: RawQuestion) => Promise<RawAnswer>;

/** From this process, on up to 8 connections of the agent's that are kept. */
export const sendByAgent =
  (agent: Agent, port: number): Send =>
  ({ content, headers, ...question }) =>
    new Promise((resolve, reject) => {
      const options = { agent, host: "127.0.0.1", port, headers: [...headers], ...question };
      const call = request(options, (response) => {
        let body = "";
        response.setEncoding("latin1").on("data", (piece: string) => (body += piece));
        response.once("error", reject).once("end", () => {
          resolve({ status: response.statusCode ?? 0, headers: response.rawHeaders, body });
        });
      });
      // Header and content are one text, and headers are bytes.
      call.once("error", reject).end(content, "latin1");
    });

/** From a pod, on one connection that is kept. */
export const sendByCaller =
  (caller: KeepAliveCaller, place: { readonly host: string; readonly port: number }): Send =>
  async ({ headers, ...question }) => {
    const connection = `${place.host}:${place.port}`;
    const answer = await caller.ask({ ...place, ...question, connection, rawHeaders: headers });
    if (answer.error !== undefined)
      throw new Error(`${question.method} ${question.path} at ${place.host}: ${answer.error}`);
    const { status, rawHeaders, body } = answer;
    return { status, headers: rawHeaders, body };
  };
