import type { Request, Response } from "./messages.ts";
import { shortName } from "./types.ts";

/** Longest list of names, and longest name or nonce, that is shown whole. */
const [shownNames, shownLength] = [6, 64] as const;

/** What was sent and what came on one stream, as lines that a person can read. */
export class Transcript {
  private readonly lines: string[] = [];
  private readonly start = performance.now();

  sent(request: Request): void {
    const { typeUrl, nonce, error, names, subscribe, unsubscribe, initialVersions, node } = request;
    this.add(
      "sent",
      shortName(typeUrl),
      node && `node=${node.id ?? ""}`,
      names && `names=${list(names)}`,
      subscribe && `subscribe=${list(subscribe)}`,
      unsubscribe && `unsubscribe=${list(unsubscribe)}`,
      initialVersions && `initial_resource_versions=${list(Object.keys(initialVersions))}`,
      nonce && `nonce=${tail(nonce)}`,
      error === undefined ? undefined : `error="${error}"`,
    );
  }

  came({ typeUrl, nonce, resources, removed }: Response): void {
    this.add(
      "came",
      shortName(typeUrl),
      `resources=${list(resources.map(({ name }) => name))}`,
      removed.length > 0 && `removed=${list(removed)}`,
      `nonce=${tail(nonce)}`,
    );
  }

  note(text: string): void {
    this.add("note", text);
  }

  /** @param count of lines, the last ones. */
  last(count: number): string[] {
    const left = this.lines.length - count;
    return left > 0 ? [`… ${left} more before`, ...this.lines.slice(-count)] : [...this.lines];
  }

  private add(...parts: readonly (string | false | undefined)[]): void {
    const ms = (performance.now() - this.start).toFixed(0).padStart(6);
    this.lines.push(`${ms} ms  ${parts.filter(Boolean).join(" ")}`);
  }
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, shownNames).map((name) => name.slice(0, shownLength));
  return `[${shown.join(", ")}${names.length > shownNames ? `, … ${names.length} in all` : ""}]`;
}

/** Nonces of one server begin alike. */
const tail = (text: string): string => (text.length > 12 ? `…${text.slice(-12)}` : text);
