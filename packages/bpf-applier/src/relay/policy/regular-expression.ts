import { RE2JS } from "re2js";

/** An expression of RE2, as Envoy's `safe_regex` and `regex_rewrite` have it. */
export class RegularExpression {
  readonly compiled: RE2JS;

  /** @throws Error that names the expression, if it is none of RE2 */
  constructor(text: string) {
    try {
      this.compiled = RE2JS.compile(text);
    } catch (cause) {
      throw new Error(`"${text}" is no regular expression of RE2`, { cause });
    }
  }

  /** Whether it matches the whole text. */
  matches(text: string): boolean {
    return this.compiled.matches(text);
  }

  /**
   * Every match replaced, as RE2's GlobalReplace does.
   * @param substitution "\1" to "\9" stand for groups, "\0" for the match, "\\" for a backslash
   */
  replaceAll(text: string, substitution: string): string {
    let end = -1;
    return this.compiled.matcher(text).replaceAll((...parts: unknown[]) => {
      const [match] = parts;
      const offset = parts.findIndex((part) => typeof part === "number");
      const start = Number(parts[offset]);
      const length = String(match).length;
      // RE2: nothing is found where the last match ended.
      if (length === 0 && start === end) return "";
      end = start + length;
      return substitution.replace(/\\(\d|\\)/g, (_, what: string) => meant(what, parts.slice(0, offset)));
    });
  }
}

/** @param parts the match and its groups */
function meant(what: string, parts: readonly unknown[]): string {
  if (what === "\\") return what;
  const part = parts[Number(what)];
  return typeof part === "string" ? part : "";
}

const known = new Map<string, RegularExpression>();
/** More than the rules of one service have, or a change of one of them would compile all again. */
const mostKnown = 50_000;

/** Compiled once for all rules that hold it. @throws Error as {@link RegularExpression} does */
export function regularExpression(text: string): RegularExpression {
  const found = known.get(text);
  if (found !== undefined) return found;
  if (known.size >= mostKnown) known.clear();
  const made = new RegularExpression(text);
  known.set(text, made);
  return made;
}
