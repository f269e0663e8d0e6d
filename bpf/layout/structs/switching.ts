import type { StructDescription } from "../describe.ts";

/** Of requests that programs take off the way to the relay. */
export const switchingStructs: readonly StructDescription[] = [
  {
    name: "switched_service_key",
    doc: "A service port whose requests programs may take off the way to the relay.",
    fields: [{ name: "service", type: "u64", doc: "as in `service_value`" }],
  },
  {
    name: "switched_service_value",
    doc: "How the rule of its requests is found.",
    fields: [
      { name: "table", type: "u64", doc: "of the match tables of that size" },
      { name: "start", type: "u32", doc: "place in the table where a head begins" },
      { name: "context", type: "u32", doc: "place in the table of what is known before the first byte" },
      { name: "size", type: "u32", doc: "`table_size`" },
    ],
  },
  {
    name: "switched_rule_key",
    doc: "A rule of such a service port; one that is not there is the relay's.",
    fields: [
      { name: "service", type: "u64" },
      { name: "rule", type: "u32", doc: "from 1 on, as the match table says it" },
      { name: "family", type: "u32", doc: "4 or 6, of the address that the caller dialled" },
    ],
  },
  {
    name: "switched_rule_value",
    doc: "Where its requests go: an alias table, as connections have it.",
    fields: [
      { name: "slots", type: "u64", doc: "first half of `slot_key`" },
      { name: "route", type: "u64", doc: "as in `answer_key`" },
      { name: "slot_count", type: "u32", doc: "at least 1" },
      {
        name: "balances",
        type: "u32",
        doc: "1: what is drawn is not an endpoint, but a destination, which has a balancer",
      },
    ],
  },
  {
    name: "switched_destination_key",
    doc: "A destination of such rules.",
    fields: [{ name: "destination", type: "u64", doc: "`endpoint` in the slots of its rules" }],
  },
  {
    name: "switched_destination_value",
    doc: "How one of its endpoints is chosen.",
    fields: [
      { name: "slots", type: "u64", doc: "first half of `slot_key`; for a key: which of `rings`" },
      { name: "count", type: "u32", doc: "of slots, or of a ring's points; at least 1" },
      { name: "balancing", type: "u32", doc: "`balancing`" },
    ],
  },
  {
    name: "switched_key_value",
    doc: "What consistent hashing looks at in requests of a rule, by `switched_rule_key`.",
    fields: [
      { name: "kind", type: "u32", doc: "`key_kind`" },
      { name: "length", type: "u32", doc: "of the name; 1 to 64" },
      { name: "times", type: "u32", doc: "how many policies of the rule look at it; 1 to 8" },
      { name: "is_made", type: "u32", doc: "1: a request without it gets one from the relay" },
      { name: "name", type: "name", doc: "of a header: in lower case" },
    ],
  },
  {
    name: "ring_point",
    doc: "A point of a consistent-hash ring, in the order of their hashes; or a place in a Maglev table.",
    fields: [
      { name: "hash", type: "u64", doc: "of a place: 0" },
      { name: "endpoint", type: "u64", doc: "as in `edge_key`" },
    ],
  },
  {
    name: "tally_key",
    doc: "What a balancer counts.",
    fields: [
      { name: "destination", type: "u64", doc: "as in `switched_destination_key`" },
      {
        name: "endpoint",
        type: "u64",
        doc: "as in `edge_key`: requests that it has under way; 0: whose turn it is",
      },
    ],
  },
  {
    name: "tally_value",
    doc: "A balancer's count. What one that had its key before has counted is not in it.",
    fields: [
      {
        name: "born",
        type: "u64",
        doc: "when it was made, by which a request that ends knows its own; nanoseconds of CLOCK_MONOTONIC",
      },
      { name: "count", type: "u64" },
    ],
  },
  {
    name: "speaker",
    doc: "Kept in a caller's socket whose requests programs may take: what was known when its connection was made.",
    fields: [
      { name: "cookie", type: "u64", doc: "of the socket" },
      { name: "network", type: "u64", doc: "cookie of its network namespace" },
      { name: "workload", type: "u64", doc: "as in `edge_key`" },
      { name: "service", type: "u64" },
      { name: "first_sent", type: "u32", doc: "number in TCP's sequence of the first byte that it sends" },
      { name: "first_read", type: "u32", doc: "the same for what it receives" },
      { name: "table", type: "u64", doc: "this and the next three: for the request that is looked at" },
      { name: "start", type: "u32", doc: "as in `switched_service_value`" },
      { name: "context", type: "u32" },
      { name: "bank", type: "u32", doc: "that its tables are in" },
      { name: "family", type: "u32", doc: "as in `switched_rule_key`" },
    ],
  },
  {
    name: "exchange_value",
    doc: "What programs have under way for a caller's connection, by its socket's cookie. The relay makes it and takes it away.",
    fields: [
      {
        name: "caller",
        type: "u64",
        doc: "cookie of the caller's socket; 0: the relay has left it (switching/known.h)",
      },
      { name: "link", type: "u64", doc: "cookie of the link that has its request; 0: none" },
      { name: "place", type: "u64", doc: "where the kernel keeps the caller's socket; for programs only" },
      { name: "last_link", type: "u64", doc: "cookie of the link that had its last request" },
      { name: "last_place", type: "u64", doc: "where the kernel keeps that; for programs only" },
      { name: "source", type: "u64", doc: "the caller's address, hashed as a key of consistent hashing" },
      {
        name: "promised",
        type: "u32",
        doc: "bytes of answers that programs moved, or are about to, onto the caller's own connection; modulo 2^32",
      },
      { name: "taken", type: "u32", doc: "requests that programs took; modulo 2^32" },
      { name: "is_missed", type: "u32", doc: "1: what the caller sent last was passed, as no link was idle" },
      {
        name: "is_queued",
        type: "u32",
        doc: "1: the last answer, or a part of it, went into the caller's queue",
      },
      { name: "first_read", type: "u32", doc: "as in `speaker`" },
      {
        name: "is_broken",
        type: "u32",
        doc: "1: a request was cut off on its way; both connections are of no use",
      },
    ],
  },
  {
    name: "handback_value",
    doc: "How far the relay has gone on a caller's connection: up to there all requests are answered. Programs take nothing beyond.",
    fields: [
      { name: "read", type: "u32", doc: "bytes that the relay has read; modulo 2^32" },
      { name: "written", type: "u32", doc: "bytes that the relay has written; modulo 2^32" },
      { name: "seal", type: "u64", doc: "made of both and the caller's cookie (switching/known.h)" },
      {
        name: "taken",
        type: "u32",
        doc: "requests that programs had taken as all of them were answered; for a relay that comes after this one",
      },
    ],
  },
  {
    name: "link_value",
    doc: "A connection that the relay has opened to an endpoint for requests that programs take, by its cookie.",
    fields: [
      { name: "cookie", type: "u64", doc: "of the link; 0: the relay has dropped it (switching/known.h)" },
      { name: "caller", type: "u64", doc: "cookie of the caller whose request it has; 0: none" },
      { name: "network", type: "u64", doc: "this and the next two: as in `pool_key`" },
      { name: "workload", type: "u64" },
      { name: "endpoint", type: "u64" },
      { name: "service", type: "u64", doc: "of the request" },
      { name: "route", type: "u64", doc: "of the request; as in `answer_key`" },
      { name: "place", type: "u64", doc: "where the kernel keeps its socket; for programs only" },
      { name: "begun", type: "u64", doc: "when the last request was taken; nanoseconds of CLOCK_MONOTONIC" },
      {
        name: "destination",
        type: "u64",
        doc: "in whose tally of the endpoint the request is counted; 0: in none, or not any more",
      },
      { name: "tally_born", type: "u64", doc: "of that tally" },
      { name: "end", type: "u32", doc: "number in TCP's sequence behind that request" },
      {
        name: "left",
        type: "u32",
        doc: "bytes of the answer that are still to come; 0: its head has not come",
      },
      { name: "is_head", type: "u32", doc: "1: the answer has no content, whatever its head says" },
      {
        name: "is_passed",
        type: "u32",
        doc: "1: the answer is for the relay to carry; with bytes left, it was cut off",
      },
      { name: "status", type: "u32", doc: "of the answer" },
      { name: "bytes", type: "u32", doc: "of the answer's content" },
      {
        name: "heard",
        type: "u32",
        doc: "bytes that came on it while a caller had a request there; modulo 2^32. If more came, nobody had asked for them",
      },
      { name: "passed", type: "u32", doc: "of the answer: bytes left to the relay; modulo 2^32" },
      { name: "passed_ever", type: "u32", doc: "bytes left to the relay on it, of all answers; modulo 2^32" },
      {
        name: "is_told",
        type: "u32",
        doc: "1: the relay has been told that bytes were left to it, and reads; it says when it is to be told again",
      },
    ],
  },
  {
    name: "pool_key",
    doc: "Links that may carry each other's requests: of one caller, to one endpoint.",
    fields: [
      { name: "network", type: "u64", doc: "cookie of the network namespace" },
      { name: "workload", type: "u64", doc: "the caller's; as in `edge_key`" },
      { name: "endpoint", type: "u64", doc: "as in `edge_key`" },
    ],
  },
  {
    name: "command",
    doc: "What the relay asks of the program `keelson_command`, as the data of a packet.",
    fields: [
      {
        name: "cookie",
        type: "u64",
        doc: "of the link; of settle: of the caller",
      },
      {
        name: "network",
        type: "u64",
        doc: "of add_link and drop_pool: this and the next two as in `pool_key`",
      },
      { name: "workload", type: "u64" },
      { name: "endpoint", type: "u64" },
      { name: "kind", type: "u32", doc: "`command_kind`" },
      { name: "is_reusable", type: "u32", doc: "of release: 1: the link goes back to its pool" },
      { name: "count", type: "u32", doc: "of leave: so many callers' cookies follow the command" },
    ],
  },
];
