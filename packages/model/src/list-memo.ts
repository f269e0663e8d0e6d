import type { ObjectSet } from "./objects.ts";

/** Objects by kind, for who looks at all of a kind. */
export type ObjectLists = Pick<ObjectSet, "of">;

interface Made<Output> {
  readonly inputs: readonly unknown[];
  /** Whether all lists that were read are the same now. */
  readonly isRight: (objects: ObjectLists) => boolean;
  readonly output: Output;
}

/** Remembers what was made of lists of objects, as long as every list that was read for it, and every other input, is the same. */
export class ListMemo<Output> {
  private last: Made<Output> | undefined;

  of(objects: ObjectLists, inputs: readonly unknown[], make: (lists: ObjectLists) => Output): Output {
    const { last } = this;
    const sameInputs = last?.inputs.every((input, i) => input === inputs[i]) === true;
    if (last !== undefined && sameInputs && last.isRight(objects)) return last.output;
    const checks: ((now: ObjectLists) => boolean)[] = [];
    const lists: ObjectLists = {
      of: (kind, group) => {
        const list = objects.of(kind, group);
        checks.push((now) => now.of(kind, group) === list);
        return list;
      },
    };
    const output = make(lists);
    this.last = { inputs, isRight: (now) => checks.every((check) => check(now)), output };
    return output;
  }
}
