import type { StructDescription } from "../describe.ts";

/** Of heads that are read. */
export const matchingStructs: readonly StructDescription[] = [
  {
    name: "match_entry",
    doc: "Entry of a match automaton's table; compiler/src/automaton says how it is made.",
    fields: [
      { name: "owner", type: "u32", doc: "place of the row that the entry belongs to" },
      { name: "next", type: "u32", doc: "place to go on at, and bits of `match_next`" },
    ],
  },
  {
    name: "match_action",
    doc: "What is to be done between two bytes; it takes the room of two entries.",
    fields: [
      { name: "kind", type: "u32", doc: "`match_kind`, and bits of `match_flag`" },
      { name: "symbol", type: "u32", doc: "of a step: the outcome; of relay: a `match_relay`" },
      { name: "part", type: "u32", doc: "number of the part of the request" },
      { name: "resume", type: "u32", doc: "place to go on at" },
    ],
  },
  {
    name: "match_scan",
    doc: "Where a scan of a request's head stands, and at last what came of it.",
    fields: [
      { name: "state", type: "u32", doc: "place in the table" },
      { name: "context", type: "u32", doc: "place in the table" },
      { name: "seen", type: "u32", doc: "bits by part: the header has come" },
      { name: "value_start", type: "u32", doc: "offset of the value that is being read" },
      { name: "number", type: "u32", doc: "what the digits of that value say" },
      { name: "content_length", type: "u32" },
      { name: "before", type: "u32", doc: "the byte before" },
      { name: "is_head", type: "u32", doc: "1: the method is HEAD" },
      { name: "verdict", type: "u32", doc: "`match_verdict`" },
      {
        name: "detail",
        type: "u32",
        doc: "of a rule: its number from 1 on, 0 for none; of relay: a `match_relay`",
      },
      { name: "head_length", type: "u32", doc: "bytes up to the end of the empty line" },
      { name: "status", type: "u32", doc: "of an answer" },
    ],
  },
];
