export interface Constant {
  readonly name: string;
  /** A bigint is one of 64 bits. */
  readonly value: number | bigint;
  readonly doc: string;
}

/** Numbers that programs are compiled with, and that TypeScript counts on. */
export const constants: readonly Constant[] = [
  { name: "small_table", value: 2 ** 13, doc: "entries of the smallest match table" },
  { name: "medium_table", value: 2 ** 17, doc: "entries of the next one" },
  { name: "large_table", value: 2 ** 21, doc: "entries of the largest" },
  { name: "match_first_byte", value: 0x20, doc: "of those that a strict head may have" },
  { name: "match_last_byte", value: 0x7e, doc: "of those that a strict head may have" },
  { name: "match_any", value: 0, doc: "symbol of a row's default way" },
  { name: "match_end_of_head", value: 1, doc: "symbol in a context's row" },
  { name: "match_first_part", value: 2, doc: "symbol of part 0; the others come behind it" },
  { name: "match_part_host", value: 2, doc: "number of a part" },
  { name: "match_part_content_length", value: 3, doc: "number of a part" },
  { name: "pool_links", value: 256, doc: "most in one pool; a power of two" },
  {
    name: "seal_factor",
    value: 0x9e37_79b9_7f4a_7c15n,
    doc: "spreads a caller's cookie over the seal of a handback; odd, so that no two have the same",
  },
  { name: "most_answer_bytes", value: 2 ** 16, doc: "of an answer that programs move" },
  { name: "buckets_per_power", value: 8, doc: "of times, to each power of two microseconds" },
  { name: "last_power", value: 30, doc: "of two, in microseconds, that has buckets of its own" },
];
