import { matchPartContentLength, matchPartHost } from "@keelson/bpf";
import type { HeaderMatch, HttpMatch, StringMatch } from "@keelson/protos/match";
import { Unfit } from "./bounds.ts";

/** A pattern for the value of one part of a request. */
export interface Pattern {
  /** What must match; undefined: any value, as long as the part is there. */
  readonly value: StringMatch["how"] | undefined;
  readonly ignoreCase: boolean;
  /** A prefix that ends where a segment of the path ends. */
  readonly wholeSegments: boolean;
}

/** What one clause asks of one part: all of `holds` and none of `fails`, as numbers of the part's patterns. */
export interface Demand {
  readonly holds: readonly number[];
  readonly fails: readonly number[];
}

/** All demands must be met, by number of the part. */
export interface Clause {
  readonly rule: number;
  readonly demands: ReadonlyMap<number, Demand>;
}

/** A part of a request that rules look at. */
export interface Part {
  /** ":method", ":path", or the header's name in lower case. */
  readonly name: string;
  readonly patterns: Pattern[];
  /** By pattern: the first clause that looks at it. */
  readonly firstUse: number[];
  /** By pattern: the first clause that asks nothing but that it holds; such a clause makes those after it moot. */
  readonly decides: (number | undefined)[];
}

/** Parts that every automaton has, by number; headers that rules look at come after them. */
export const part = {
  method: 0,
  path: 1,
  host: matchPartHost,
  contentLength: matchPartContentLength,
  connection: 4,
} as const;
export const newPart = (name: string): Part => ({ name, patterns: [], firstUse: [], decides: [] });
const fixedParts = [":method", ":path", "host", "content-length", "connection"];

/** Rules as clauses over parts; a rule's matches are a clause each, in order. */
export class Clauses {
  readonly parts: Part[] = fixedParts.map(newPart);
  readonly clauses: Clause[] = [];
  private readonly partNumbers = new Map(fixedParts.map((name, number) => [name, number]));
  private readonly patternNumbers = new Map<string, number>();

  /**
   * @param matches of a rule, one of which must hold; none: every request
   * @throws Unfit for a condition that is not looked at in the kernel
   */
  add(rule: number, matches: readonly HttpMatch[]): void {
    if (matches.length === 0) this.clauses.push({ rule, demands: new Map() });
    for (const match of matches) {
      const demands = this.demandsOf(match);
      if (demands === undefined) continue;
      this.clauses.push({ rule, demands });
      this.noteDeciding(demands);
    }
  }

  private noteDeciding(demands: ReadonlyMap<number, Demand>): void {
    const [only, ...others] = [...demands];
    if (only === undefined || others.length > 0) return;
    const [number, { holds, fails }] = only;
    const [pattern] = holds;
    const decides = this.parts[number]?.decides;
    if (pattern === undefined || holds.length > 1 || fails.length > 0 || decides === undefined) return;
    decides[pattern] ??= this.clauses.length - 1;
  }

  /** Undefined: can never hold for plain HTTP. */
  private demandsOf(match: HttpMatch): ReadonlyMap<number, Demand> | undefined {
    if (match.queryParameters.length > 0) throw new Unfit("looks at query parameters");
    if (match.source !== undefined) throw new Unfit("looks at who calls");
    const demands = new Map<number, { holds: number[]; fails: number[] }>();
    const demand = (name: string, pattern: Pattern, invert: boolean): void => {
      const number = this.partNumber(name);
      const demanded = demands.get(number) ?? { holds: [], fails: [] };
      demanded[invert ? "fails" : "holds"].push(this.patternNumber(number, pattern));
      demands.set(number, demanded);
    };
    if (match.uri?.how.case !== undefined) demand(":path", pathPattern(match), false);
    for (const header of conditionsOf(match)) {
      if (header.name === ":scheme") {
        if (matchesText(header.value, "http") === header.invert) return undefined;
      } else {
        demand(partName(header.name), plainPattern(header.value), header.invert);
      }
    }
    return demands;
  }

  private partNumber(name: string): number {
    const known = this.partNumbers.get(name);
    if (known !== undefined) return known;
    const number = this.parts.push(newPart(name)) - 1;
    this.partNumbers.set(name, number);
    return number;
  }

  private patternNumber(partNumber: number, pattern: Pattern): number {
    const key = JSON.stringify([
      partNumber,
      pattern.value?.case,
      pattern.value?.value,
      pattern.ignoreCase,
      pattern.wholeSegments,
    ]);
    const known = this.patternNumbers.get(key);
    if (known !== undefined) return known;
    const { patterns, firstUse } = this.parts[partNumber] ?? newPart("");
    const number = patterns.push(pattern) - 1;
    firstUse.push(this.clauses.length);
    this.patternNumbers.set(key, number);
    return number;
  }
}

const plainPattern = (value: StringMatch | undefined): Pattern => ({
  value: valueOf(value),
  ignoreCase: false,
  wholeSegments: false,
});

/** Istio takes the regular expression "*" for "is there". */
const valueOf = (value: StringMatch | undefined): Pattern["value"] =>
  value?.how.case === undefined || (value.how.case === "regex" && value.how.value === "*")
    ? undefined
    : value.how;

/** Envoy minds `ignore_uri_case` for exact paths and prefixes alone. */
function pathPattern({ uri, ignoreUriCase, wholeSegments }: HttpMatch): Pattern {
  const value = valueOf(uri);
  const isPrefix = value?.case === "prefix";
  if (isPrefix && (value.value === "" || value.value === "/")) return plainPattern(undefined);
  return {
    value,
    ignoreCase: ignoreUriCase && value?.case !== "regex",
    wholeSegments: wholeSegments && isPrefix,
  };
}

type Condition = Pick<HeaderMatch, "name" | "value" | "invert">;

function conditionsOf(match: HttpMatch): Condition[] {
  const pseudo = { ":method": match.method, ":authority": match.authority, ":scheme": match.scheme };
  return [
    ...Object.entries(pseudo).flatMap(([name, value]) =>
      value === undefined ? [] : [{ name, value, invert: false }],
    ),
    ...match.headers,
  ];
}

function partName(header: string): string {
  const name = header.toLowerCase();
  if (name === ":authority") return "host";
  if (name.startsWith(":") && name !== ":method") throw new Unfit(`looks at ${name} as a header`);
  return name;
}

function matchesText(match: StringMatch | undefined, text: string): boolean {
  const value = valueOf(match);
  if (value === undefined) return true;
  if (value.case === "exact") return value.value === text;
  if (value.case === "prefix") return text.startsWith(value.value ?? "");
  throw new Unfit("looks at the scheme by a regular expression");
}
