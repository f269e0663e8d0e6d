import type { HttpMatch } from "@keelson/protos/match";
import { asField } from "./field-text.ts";
import type { ParsedRequest } from "./parsed-request.ts";
import { type Placed, type Places, PlacesByExpression } from "./places-by-expression.ts";
import type { Caller } from "./types.ts";

/** Something that is for requests which fulfil a match. */
export interface Indexed {
  /** Undefined: for all requests. */
  readonly match: HttpMatch | undefined;
  readonly holds: (request: ParsedRequest, caller: Caller) => boolean;
}

/**
 * Finds the first item whose match holds, as if all were asked in order. Those that want another path, another beginning of it
 * or another value of a header than the request has, or an expression that matches neither, are not asked: ten thousand of them cost
 * no more than ten.
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
    for (const [place, item] of items.entries()) this.listOf(item.match).push({ place, item });
    for (const places of this.byExpression.values()) places.close();
  }

  find(request: ParsedRequest, caller: Caller): Item | undefined {
    let best: Placed<Item> | undefined;
    const ask = (places: Places<Item> | undefined): void => {
      if (places !== undefined) best = firstOf(places, request, caller, best);
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
      for (const text of name === thePath ? [path] : request.headers.all(name)) places.ask(text, ask);
    }
    ask(this.others);
    return best?.item;
  }

  private listOf(match: HttpMatch | undefined): Places<Item> {
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
    const [subject, expression] = expressionOf(match) ?? [];
    if (subject === undefined || expression === undefined) return this.others;
    const places = this.byExpression.get(subject) ?? new PlacesByExpression();
    this.byExpression.set(subject, places);
    return places.listOf(expression);
  }
}

/** Where the name of a header stands otherwise. */
const thePath = "";

/** @returns what an expression looks at that has to match, and the expression */
function expressionOf(match: HttpMatch | undefined): [subject: string, expression: string] | undefined {
  const path = match?.uri?.how;
  if (path?.case === "regex" && path.value !== "*") return [thePath, path.value];
  for (const { name, value, invert } of match?.headers ?? []) {
    if (value?.how.case === "regex" && value.how.value !== "*" && !invert)
      return [name.toLowerCase(), value.how.value];
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

/** The first of a list that holds and comes before the best so far; that one if there is none. */
function firstOf<Item extends Indexed>(
  places: Places<Item>,
  request: ParsedRequest,
  caller: Caller,
  best: Placed<Item> | undefined,
): Placed<Item> | undefined {
  for (const placed of places) {
    if (best !== undefined && placed.place > best.place) return best;
    if (placed.item.holds(request, caller)) return placed;
  }
  return best;
}
