import { ExpressionEffort } from "./expression-effort.ts";
import { normalPath } from "./normal-path.ts";
import type { RawHeaders, RequestHead } from "./types.ts";

/** A request's head as rules look at it: the target taken apart, headers found by name. */
export interface ParsedRequest {
  readonly method: string;
  /** Normal form, without the query; begins with "/". */
  readonly path: string;
  /** With its "?", or empty. */
  readonly query: string;
  readonly authority: string;
  readonly scheme: "http" | "https";
  readonly headers: Headers;
  /** What is left of what expressions may cost it. */
  readonly effort: ExpressionEffort;
}

const absoluteForm = /^https?:\/\/([^/?#]*)([^]*)$/i;

/** Status of the answer to a head that no rule is asked about: Envoy's, before it looks at routes. */
export type Refusal = 400 | 404;

/** @returns the status of the answer for a target that is no path ("OPTIONS *"): 404, or has no normal form: 400 */
export function parseRequest(head: RequestHead, effort = new ExpressionEffort()): ParsedRequest | Refusal {
  const absolute = head.path.startsWith("/") ? null : absoluteForm.exec(head.path);
  // RFC 9112, 3.2.2: the target's authority counts, not the Host header's.
  const authority = absolute?.[1] ?? head.authority;
  const target = absolute === null ? head.path : withSlash(absolute[2] ?? "");
  if (!target.startsWith("/")) return 404;
  if (target.includes("#")) return 400;
  const question = target.indexOf("?");
  const path = normalPath(question === -1 ? target : target.slice(0, question));
  if (path === undefined) return 400;
  const query = question === -1 ? "" : target.slice(question);
  const { method, scheme } = head;
  const parsed = { method, path, query, authority, scheme };
  return { ...parsed, headers: new Headers(parsed, head.rawHeaders), effort };
}

const withSlash = (rest: string): string => (rest.startsWith("/") ? rest : `/${rest}`);

/** What pseudo headers say. */
type Pseudo = Omit<ParsedRequest, "headers" | "effort">;

/** Finds headers by their name in lower case, or by ":method", ":path", ":authority", ":scheme". */
export class Headers {
  private readonly request: Pseudo;
  private readonly raw: RawHeaders;
  private byName: Map<string, string[]> | undefined;

  constructor(request: Pseudo, raw: RawHeaders) {
    this.request = request;
    this.raw = raw;
  }

  /** Each value by itself, in their order; none: not there. */
  all(name: string): readonly string[] {
    const pseudo = this.pseudo(name);
    if (pseudo !== undefined) return [pseudo];
    this.byName ??= collect(this.raw);
    return this.byName.get(name) ?? [];
  }

  /** Values of one name are one list (RFC 9110, 5.3). Undefined: not there. */
  get(name: string): string | undefined {
    const values = this.all(name);
    return values.length < 2 ? values[0] : values.join(",");
  }

  private pseudo(name: string): string | undefined {
    switch (name) {
      case ":method":
        return this.request.method;
      case ":path":
        return this.request.path + this.request.query;
      case ":authority":
      case "host":
        return this.request.authority;
      case ":scheme":
        return this.request.scheme;
      default:
        return undefined;
    }
  }
}

function collect(raw: RawHeaders): Map<string, string[]> {
  const byName = new Map<string, string[]>();
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] ?? "").toLowerCase();
    const values = byName.get(name);
    const value = raw[at + 1] ?? "";
    if (values === undefined) byName.set(name, [value]);
    else values.push(value);
  }
  return byName;
}
