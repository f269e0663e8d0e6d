/** A server did something else than the protocol says. */
export class Nonconformity extends Error {
  override readonly name = "Nonconformity";
  readonly expected: string;
  readonly found: string;

  constructor(expected: string, found: string) {
    super(`expected ${expected}; found ${found}`);
    this.expected = expected;
    this.found = found;
  }
}

/** @throws Nonconformity unless `holds`. @param found what there is instead, in words or as a value */
export function check(holds: boolean, expected: string, found: unknown): asserts holds {
  if (!holds) throw new Nonconformity(expected, typeof found === "string" ? found : JSON.stringify(found));
}

/** @throws Nonconformity unless both have the same elements, in any order. */
export function checkSame(expected: Iterable<string>, found: Iterable<string>, what: string): void {
  const [want, have] = [[...expected].sort(), [...found].sort()];
  check(JSON.stringify(want) === JSON.stringify(have), `${what}: ${JSON.stringify(want)}`, have);
}
