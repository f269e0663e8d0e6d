/** What follows from one immutable value, made again only for another one. */
export class Derived<Input extends object, Output> {
  private readonly make: (input: Input) => Output;
  private last: { readonly input: Input; readonly output: Output } | undefined;

  constructor(make: (input: Input) => Output) {
    this.make = make;
  }

  of(input: Input): Output {
    if (this.last?.input !== input) this.last = { input, output: this.make(input) };
    return this.last.output;
  }
}
