import { ExpressionSet } from "@keelson/compiler/automaton";
import type { ExpressionEffort } from "./expression-effort.ts";
import type { Holds } from "./matchers.ts";
import { regularExpression } from "./regular-expression.ts";

/** An item with its place in the order of precedence. */
export interface Placed<Item> {
  readonly place: number;
  readonly item: Item;
  /** Whether all of its match holds but for the expression that it was found by; the item's own where there is none. */
  readonly rest: Holds;
}

/** In order. */
export type Places<Item> = Placed<Item>[];

/** Items by the regular expression that a text has to match for them. */
export class PlacesByExpression<Item> {
  private readonly lists = new Map<string, Places<Item>>();
  private readonly numbered: Places<Item>[] = [];
  /** Of all expressions. */
  private all: Places<Item> = [];
  private unfit: Places<Item> = [];
  private set = new ExpressionSet([]);

  /** Items of an expression, to be added to. */
  listOf(expression: string): Places<Item> {
    const known = this.lists.get(expression);
    if (known !== undefined) return known;
    const list: Places<Item> = [];
    this.lists.set(expression, list);
    this.numbered.push(list);
    return list;
  }

  /** No more are added. @throws Error for what is no regular expression of RE2 */
  close(): void {
    this.set = new ExpressionSet([...this.lists.keys()].map((text) => regularExpression(text).compiled));
    this.all = inOrder(this.numbered);
    this.unfit = inOrder(this.set.unfit.map((number) => this.numbered[number] ?? []));
  }

  /** Hands on the items whose expression matches, and those of which it is still to be asked. */
  ask(text: string, effort: ExpressionEffort, ask: (places: Places<Item>, isFound: boolean) => void): void {
    const matching = effort.matching(this.set, text);
    if (matching === undefined) return ask(this.all, false);
    for (const number of matching) ask(this.numbered[number] ?? [], true);
    ask(this.unfit, false);
  }
}

const inOrder = <Item>(lists: readonly Places<Item>[]): Places<Item> =>
  lists.flat().toSorted((a, b) => a.place - b.place);
