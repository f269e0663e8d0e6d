import type { StructDescription } from "../describe.ts";

/** Of what is counted, and shown. */
export const counterStructs: readonly StructDescription[] = [
  {
    name: "edge_key",
    doc: "A caller, a service port, an endpoint: what counters are kept for.",
    fields: [
      { name: "source", type: "u64", doc: "the calling workload; 0: none that the node knows" },
      { name: "service", type: "u64" },
      {
        name: "endpoint",
        type: "u64",
        doc: "0: refused, or at the relay, which counts requests by endpoint",
      },
    ],
  },
  {
    name: "edge_value",
    doc: "Counters of an edge on one CPU.",
    fields: [
      { name: "connections", type: "u64" },
      { name: "datagrams", type: "u64" },
      { name: "refused", type: "u64" },
      { name: "sent_requests", type: "u64", doc: "HTTP requests that callers began to send" },
      { name: "sent_request_bytes", type: "u64", doc: "of these, heads and bodies" },
    ],
  },
  {
    name: "answer_key",
    doc: "Requests of an edge that ended alike: what answers are counted for.",
    fields: [
      { name: "source", type: "u64", doc: "this and the next two: as in `edge_key`" },
      { name: "service", type: "u64" },
      { name: "endpoint", type: "u64" },
      { name: "route", type: "u64", doc: "the rule's that it met; 0: none" },
      { name: "status_class", type: "u32", doc: "first digit of the status, 1 to 5" },
      {
        name: "bucket",
        type: "u32",
        doc: "of the time until the answer had come (`bucket_of` in latency.h)",
      },
    ],
  },
  {
    name: "answer_value",
    doc: "Counters of such requests on one CPU.",
    fields: [
      { name: "requests", type: "u64" },
      { name: "bytes", type: "u64", doc: "of the answers' bodies" },
      { name: "microseconds", type: "u64", doc: "until the answers had come, of all together" },
    ],
  },
  {
    name: "observation",
    doc: "Whether somebody wants to see single requests, and how many of them.",
    fields: [
      {
        name: "until",
        type: "u64",
        doc: "nanoseconds of CLOCK_MONOTONIC, so that one who is gone costs nothing; 0: nobody does",
      },
      { name: "every", type: "u32", doc: "one of so many, drawn at random; 1: all" },
    ],
  },
  {
    name: "request_record",
    doc: "A request that programs saw, for those who want to see single ones.",
    fields: [
      { name: "seen", type: "u64", doc: "when: nanoseconds of CLOCK_MONOTONIC" },
      { name: "source", type: "u64", doc: "this and the next two: as in `edge_key`" },
      { name: "service", type: "u64" },
      { name: "endpoint", type: "u64" },
      { name: "route", type: "u64", doc: "as in `answer_key`" },
      { name: "nanoseconds", type: "u64", doc: "until the answer had come" },
      {
        name: "bytes",
        type: "u64",
        doc: "of the answer's body; if that was not seen, of the whole request",
      },
      { name: "status", type: "u32", doc: "0: the answer was not seen" },
    ],
  },
];
