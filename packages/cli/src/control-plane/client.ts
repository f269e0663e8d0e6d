import { Readable } from "node:stream";
import type { ServiceExplanation } from "@keelson/compiler";
import { debugPaths, formatPath, type StatusView } from "@keelson/model";
import { observationQuery, observePath, type WantedRequests } from "@keelson/model/observation";
import type { z } from "zod";
import { causesOf, codeOf, messageOf } from "../caught.ts";
import { exitCodes, UserError } from "../exit-codes.ts";
import { explanationsSchema, refusalSchema, statusSchema } from "./schemas.ts";

/** A control plane that does not answer for this time is as good as none. */
const usualTimeoutMs = 10_000;

/** Reads a control plane's debug API. Every method throws UserError naming the URL if there is no proper answer. */
export class ControlPlaneClient {
  readonly server: string;
  private readonly timeoutMs: number;

  /** @param server as parseServer returns it */
  constructor(server: string, timeoutMs = usualTimeoutMs) {
    this.server = server;
    this.timeoutMs = timeoutMs;
  }

  async status(): Promise<StatusView> {
    return this.checked(statusSchema, await this.get(debugPaths.status));
  }

  /** @param service as people name it; absent: all. @returns none if there is no such service. */
  async explanations(service?: string): Promise<readonly ServiceExplanation[]> {
    const query = service === undefined ? "" : `?${new URLSearchParams({ service }).toString()}`;
    const answer = await this.get(`${debugPaths.explain}${query}`);
    if (service !== undefined && answer.status === 404 && refusalOf(answer) !== undefined) return [];
    return this.checked(explanationsSchema, answer);
  }

  /**
   * Single requests as they happen, as lines (`ObservationLine`), until the stream is destroyed or nobody tells any more.
   * @param node absent: all that are connected
   */
  async observe(wanted: WantedRequests, node?: string): Promise<Readable> {
    const query = observationQuery(wanted);
    if (node !== undefined) query.set("node", node);
    const url = `${this.server}${observePath}?${query.toString()}`;
    const response = await this.reached(() => this.answerWithin(url));
    const { status, body } = response;
    if (status === 200 && body !== null) return Readable.fromWeb(body);
    const answer = { url, status, text: await response.text() };
    throw new UserError(refusalOf(answer) ?? `${url} answers ${status}`, exitCodes.failed);
  }

  /** Its head must come in time; what follows may take as long as it takes. */
  private async answerWithin(url: string): Promise<Response> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new DOMException("late", "TimeoutError")), this.timeoutMs);
    return fetch(url, { signal: late.signal }).finally(() => clearTimeout(timer));
  }

  private async get(path: string): Promise<Answer> {
    const url = `${this.server}${path}`;
    return this.reached(async () => {
      const response = await fetch(url, { signal: AbortSignal.timeout(this.timeoutMs) });
      return { url, status: response.status, text: await response.text() };
    });
  }

  private async reached<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      const why = reasonOf(error, this.timeoutMs);
      const text = `cannot reach the control plane at ${this.server}: ${why}\n${advice}`;
      throw new UserError(text, exitCodes.failed, { cause: error });
    }
  }

  private checked<T>(schema: z.ZodType<T>, answer: Answer): T {
    const { url, status } = answer;
    if (status !== 200) {
      const said = refusalOf(answer) ?? "that is no control plane of Keelson; give its address with --server";
      throw new UserError(`${url} answers ${status}: ${said}`, exitCodes.failed);
    }
    const parsed = schema.safeParse(jsonOf(answer));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const path = formatPath((issue?.path ?? []).filter((part) => typeof part !== "symbol"));
    const what = [path, issue?.message].filter(Boolean).join(": ");
    throw new UserError(
      `${url} answers something unexpected (${what}): it is no control plane of Keelson, or one of another version`,
      exitCodes.failed,
    );
  }
}

interface Answer {
  readonly url: string;
  readonly status: number;
  readonly text: string;
}

function jsonOf({ text }: Answer): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const refusalOf = (answer: Answer): string | undefined => refusalSchema.safeParse(jsonOf(answer)).data?.error;

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "the connection was reset",
  ENOTFOUND: "the host name is not known",
  EHOSTUNREACH: "there is no route to the host",
};

const advice = [
  "Is it running there (pilot-discovery discovery --configDir DIR --httpAddr HOST:PORT)? Another address is given with --server URL.",
  "In Kubernetes: kubectl -n istio-system port-forward deployment/istiod 8080, beside this command.",
].join("\n");

function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === "TimeoutError")
    return `no answer within ${timeoutMs / 1000} s`;
  // fetch itself says only that it failed.
  const causes = causesOf(error);
  const code = causes.map(codeOf).find((found) => found !== undefined) ?? "";
  return reasons[code] ?? messageOf(causes[0] ?? error);
}
