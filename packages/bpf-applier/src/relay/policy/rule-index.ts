import type { HttpMatch } from "@keelson/protos/match";
import { asField } from "./field-text.ts";
import { type Holds, requestMatcher } from "./matchers.ts";
import type { ParsedRequest } from "./parsed-request.ts";
import { type Placed, type Places, PlacesByExpression } from "./places-by-expression.ts";
import type { Caller } from "./types.ts";

/** Something that is for requests which fulfil a match. */
export interface Indexed {
  /** Undefined: for all requests. */
  readonly match: HttpMatch | undefined;
  readonly holds: Holds;
}

/**
 * Finds the first item whose match holds, as if all were asked in order. Those that want another path, another beginning of it
 * or another value of a header than the request has, or an expression that matches neither, are not asked, nor is an expression that
 * was found to match: ten thousand of them cost no more than ten.
 */
export class RuleIndex<Item extends Indexed> {
  private readonly byPath = new Map<string, Places<Item>>();
  /** Prefixes by their length; most rules have few lengths. */
  private readonly byPrefix = new Map<number, Map<string, Places<Item>>>();
  /** By name, by value: those without a path that have to have a header of one value. */
  private readonly byHeader = new Map<string, Map<string, Places<Item>>>();
  /** Those without either that have to have a path, or a header by its name, that an expression matches. */
  private readonly byExpression = new Map<string, PlacesByExpression<Item>>();
  /** Asked of every request: a path without case, a header that must not have a value, or nothing of all that. */
  private readonly others: Places<Item> = [];

  constructor(items: readonly Item[]) {
    for (const [place, item] of items.entries()) this.add(place, item);
    for (const places of this.byExpression.values()) places.close();
  }

  /** @throws TooMuchToMatch where expressions would cost the request more than they may */
  find(request: ParsedRequest, caller: Caller): Item | undefined {
    let best: Placed<Item> | undefined;
    const ask = (places: Places<Item> | undefined, isFound = false): void => {
      for (const placed of places ?? []) {
        if (best !== undefined && placed.place > best.place) return;
        const holds = isFound ? placed.rest : placed.item.holds;
        if (!holds(request, caller)) continue;
        best = placed;
        return;
      }
    };
    const { path } = request;
    ask(this.byPath.get(path));
    for (const [length, prefixes] of this.byPrefix) {
      if (length <= path.length) ask(prefixes.get(path.slice(0, length)));
    }
    for (const [name, values] of this.byHeader) {
      for (const value of request.headers.all(name)) ask(values.get(value));
    }
    for (const [name, places] of this.byExpression) {
      for (const text of name === thePath ? [path] : request.headers.all(name))
        places.ask(text, request.effort, ask);
    }
    ask(this.others);
    return best?.item;
  }

  private add(place: number, item: Item): void {
    const { match, holds } = item;
    const found = expressionOf(match);
    const list = found !== undefined && takesAnyPath(match) ? undefined : this.listOf(match);
    if (list !== undefined) {
      list.push({ place, item, rest: holds });
      return;
    }
    if (found === undefined) {
      this.others.push({ place, item, rest: holds });
      return;
    }
    const places = this.byExpression.get(found.subject) ?? new PlacesByExpression();
    this.byExpression.set(found.subject, places);
    places.listOf(found.expression).push({ place, item, rest: requestMatcher(found.rest) });
  }

  /** Where items with a text of their own stand; undefined: the match asks for none. */
  private listOf(match: HttpMatch | undefined): Places<Item> | undefined {
    const how = match?.uri?.how;
    const isIndexed = match?.ignoreUriCase !== true;
    if (isIndexed && how?.case === "exact") return listIn(this.byPath, how.value);
    if (isIndexed && how?.case === "prefix") {
      return listIn(mapIn(this.byPrefix, how.value.length), how.value);
    }
    for (const { name, value, invert } of match?.headers ?? []) {
      if (value?.how.case !== "exact" || invert) continue;
      return listIn(mapIn(this.byHeader, name.toLowerCase()), asField(value.how.value));
    }
    return undefined;
  }
}

/** Where the name of a header stands otherwise. */
const thePath = "";

/** All rules with such a prefix would stand in one list, and each expression in it be asked by itself. */
const takesAnyPath = (match: HttpMatch | undefined): boolean =>
  match?.uri?.how.case === "prefix" && (match.uri.how.value === "/" || match.uri.how.value === "");

/** An expression that has to match, what it looks at, and what else the match asks for. */
interface Found {
  readonly subject: string;
  readonly expression: string;
  readonly rest: HttpMatch;
}

function expressionOf(match: HttpMatch | undefined): Found | undefined {
  if (match === undefined) return undefined;
  const { uri, ...others } = match;
  if (uri?.how.case === "regex" && uri.how.value !== "*")
    return { subject: thePath, expression: uri.how.value, rest: others };
  for (const header of match.headers) {
    const { name, value, invert } = header;
    if (value?.how.case !== "regex" || value.how.value === "*" || invert) continue;
    const rest = { ...match, headers: match.headers.filter((other) => other !== header) };
    return { subject: name.toLowerCase(), expression: value.how.value, rest };
  }
  return undefined;
}

function mapIn<Key, Value>(maps: Map<Key, Map<string, Value>>, key: Key): Map<string, Value> {
  const map = maps.get(key) ?? new Map<string, Value>();
  maps.set(key, map);
  return map;
}

function listIn<Item>(lists: Map<string, Places<Item>>, key: string): Places<Item> {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}
