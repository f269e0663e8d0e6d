import type { Actions } from "./actions.ts";
import type { Rows, Target } from "./rows.ts";

const code = (character: string): number => character.charCodeAt(0);

/** Visible bytes that are no part of a field's name (RFC 9110 section 5.6.2, tokens), but for the colon, and the space. */
const notToken = ' "(),/;<=>?@[\\]{}'.split("").map(code);

interface Node {
  readonly children: Map<string, Node>;
  /** Where the name leads that ends here. */
  end?: Target;
  /** Where all names lead that begin like this. */
  prefix?: Target;
}

/** Rows that read a header's name, whatever its case. */
export class HeaderNames {
  private readonly rows: Rows;
  private readonly actions: Actions;
  private readonly unknown: Target;
  private readonly root: Node = { children: new Map() };
  private readonly relayed = new Set<string>();
  private readonly prefixes: string[] = [];

  /** @param unknown where the colon after a name leads that was not added */
  constructor(rows: Rows, actions: Actions, unknown: Target) {
    this.rows = rows;
    this.actions = actions;
    this.unknown = unknown;
  }

  /** @param name in lower case */
  add(name: string, end: Target): void {
    if ("action" in end && this.actions.actions[end.action]?.kind === "relay") this.relayed.add(name);
    this.node(name).end = end;
  }

  addPrefix(prefix: string, end: Target): void {
    this.prefixes.push(prefix);
    this.node(prefix).prefix = end;
  }

  /** Whether a request with such a header is the relay's anyway. */
  isRelayed(name: string): boolean {
    return this.relayed.has(name) || this.prefixes.some((prefix) => name.startsWith(prefix));
  }

  /** Fills the row where names begin; a name has one character at least. */
  build(start: number): void {
    this.fill(start, this.root, this.anyName(this.unknown), undefined);
  }

  /** A row that reads the rest of a name, whatever it is. */
  private anyName(end: Target): number {
    const row = this.rows.add();
    this.fillRest(row, row, end);
    return row;
  }

  private fill(row: number, node: Node, rest: number, end: Target | undefined): void {
    this.fillRest(row, rest, end);
    for (const [character, child] of node.children) {
      const next = this.rows.add();
      const [after, ends] =
        child.prefix === undefined
          ? [rest, child.end ?? this.unknown]
          : [this.anyName(child.prefix), child.prefix];
      this.fill(next, child, after, ends);
      for (const byte of new Set([character, character.toUpperCase()])) {
        this.rows.set(row, code(byte), { row: next });
      }
    }
  }

  private fillRest(row: number, rest: number, end: Target | undefined): void {
    const wrong = this.actions.relay("byte");
    this.rows.setOtherwise(row, { row: rest });
    for (const byte of notToken) this.rows.set(row, byte, wrong);
    this.rows.set(row, code(":"), end ?? wrong);
  }

  private node(name: string): Node {
    let node = this.root;
    for (const character of name) {
      const child: Node = node.children.get(character) ?? { children: new Map() };
      node.children.set(character, child);
      node = child;
    }
    return node;
  }
}
