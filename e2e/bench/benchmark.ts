export interface BenchmarkOptions {
  /** A short run, to see that all works; its figures say little. */
  readonly quick: boolean;
  /** Name of the test world it makes. */
  readonly world: string;
  /** Told what goes on, in words. */
  readonly progress: (text: string) => void;
}

/** What a benchmark found in one run. */
export interface Findings {
  /** For programs: parts by name. */
  readonly figures: Readonly<Record<string, unknown>>;
  /** For people: the same as tables. */
  readonly text: string;
  /** The same as an SVG picture. */
  readonly picture?: string;
}

/** Something that can be measured by name: npm run bench -- NAME. */
export interface Benchmark {
  readonly name: string;
  /** In a few words, for the list of all. */
  readonly what: string;
  /** What it needs and this machine does not have. */
  missing(): Promise<readonly string[]>;
  run(options: BenchmarkOptions): Promise<Findings>;
}
