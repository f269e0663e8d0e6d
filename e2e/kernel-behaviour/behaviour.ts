/** What was seen, by a name in words; equal on every run on one kernel, in the short and in the long form. */
export type Observed = Record<string, string | number | boolean>;

/** Seconds on a test machine, or as long as it takes to mean something. */
export type Size = "short" | "long";

/** What a kernel does with redirected sockets, as something to be looked at again on every kernel. */
export interface Behaviour {
  /** "sticky verdict" */
  readonly name: string;
  /** What is claimed, in a sentence or two. */
  readonly claim: string;
  /**
   * Looks. What the design stands on, on every kernel, is asserted here; what kernels differ in, or what is wrong with
   * them, is only told.
   * @param tell figures that are not the same on every run
   */
  readonly observe: (size: Size, tell: (figure: string) => void) => Promise<Observed>;
}
