import type { StructDescription } from "./describe.ts";

/**
 * Every structure that both the eBPF programs and TypeScript read or write. `generate.ts` makes the C header
 * and the TypeScript codecs from it; nothing here is typed a second time by hand.
 *
 * Addresses are 16 bytes in network order; IPv4 stands as IPv4-mapped IPv6 (RFC 4291, 2.5.5.2), so that one
 * table serves both families. Ports are in network order, as in `struct sockaddr`.
 */
export const structs: readonly StructDescription[] = [
  {
    name: "bank_header",
    doc: "Value of the one-entry map that `active` points to: which bank of tables programs read.",
    fields: [
      { name: "generation", type: "u64", doc: "grows by one with every flip" },
      { name: "bank", type: "u32", doc: "0 or 1" },
    ],
  },
  {
    name: "service_key",
    doc: "A virtual address and port as a caller dials it.",
    fields: [
      { name: "address", type: "address" },
      { name: "port", type: "be16" },
      { name: "protocol", type: "u8", doc: "IPPROTO_TCP or IPPROTO_UDP" },
    ],
  },
  {
    name: "service_value",
    doc: "Where connections to a service address go.",
    fields: [
      { name: "service", type: "u64", doc: "identifies hostname, port and protocol in `edge_key`" },
      { name: "slots", type: "u64", doc: "first half of `slot_key`" },
      { name: "slot_count", type: "u32", doc: "0: every connection with an endpoint home is refused" },
      { name: "home", type: "u32", doc: "`home`" },
      { name: "is_http", type: "u32", doc: "1: callers speak HTTP/1.1 there, without TLS" },
      {
        name: "is_switched",
        type: "u32",
        doc: "1: with the relay as home, programs take requests off its way",
      },
    ],
  },
  {
    name: "slot_key",
    doc: "One slot of a service's alias table (Walker 1977, Vose 1991).",
    fields: [
      { name: "slots", type: "u64" },
      { name: "index", type: "u32", doc: "0 to slot_count - 1" },
    ],
  },
  {
    name: "slot_value",
    doc: "The endpoint that a slot stands for, and how often its alias is taken instead.",
    fields: [
      { name: "endpoint", type: "u64", doc: "identifies the endpoint in `edge_key`; 0: refuse" },
      { name: "address", type: "address" },
      { name: "alias", type: "u32", doc: "index of the slot taken when the draw is not below threshold" },
      { name: "threshold", type: "u32", doc: "probability to keep this slot, in 1/2^32" },
      { name: "weight", type: "u32", doc: "of the endpoint; 0: nobody asks for it" },
      { name: "port", type: "be16" },
    ],
  },
  {
    name: "workload_value",
    doc: "A pod of the node, by the id of its cgroup.",
    fields: [
      {
        name: "workload",
        type: "u64",
        doc: "`source` in `edge_key`; 0: the control plane has not told of the pod",
      },
      { name: "left_alone", type: "u32", doc: "1: its calls are not decided here" },
    ],
  },
  {
    name: "relay_value",
    doc: "Where the relay listens on the loopback addresses of a network namespace, by the namespace's cookie.",
    fields: [
      { name: "port4", type: "be16", doc: "on 127.0.0.1; 0: not there" },
      { name: "port6", type: "be16", doc: "on ::1; 0: not there" },
    ],
  },
  {
    name: "origin_key",
    doc: "A connection to the relay as the relay sees it when it accepts.",
    fields: [
      { name: "network", type: "u64", doc: "cookie of the network namespace" },
      { name: "port", type: "be16", doc: "the caller's own" },
      { name: "family", type: "u8", doc: "4 or 6, of the packets: 4 also for IPv4-mapped addresses" },
    ],
  },
  {
    name: "origin_value",
    doc: "Whose connection to the relay it is, and whom the caller dialled.",
    fields: [
      { name: "workload", type: "u64", doc: "as in `workload_value`; 0: none that the node knows" },
      { name: "service", type: "u64", doc: "as in `service_value`" },
      { name: "cookie", type: "u64", doc: "of the caller's socket" },
      { name: "dialled_address", type: "address" },
      { name: "dialled_port", type: "be16" },
    ],
  },
  {
    name: "peer",
    doc: "Kept in a socket's storage: whom its owner dialled, and where the connection went.",
    fields: [
      { name: "workload", type: "u64", doc: "for the relay: as in `origin_value`" },
      {
        name: "service",
        type: "u64",
        doc: "for the relay: as in `origin_value`; 0: the connection went to an endpoint",
      },
      { name: "dialled_address", type: "address" },
      { name: "endpoint_address", type: "address", doc: "the endpoint's or the relay's" },
      { name: "is_switched", type: "u32", doc: "as in `service_value`" },
      { name: "dialled_port", type: "be16" },
      { name: "endpoint_port", type: "be16" },
    ],
  },
  {
    name: "conversation",
    doc: "Kept in a caller's socket: whom its requests are counted for, and how far they were looked at.",
    fields: [
      { name: "source", type: "u64", doc: "this and the next two: as in `edge_key`" },
      { name: "service", type: "u64" },
      { name: "endpoint", type: "u64" },
      { name: "next_head", type: "u32", doc: "number in TCP's sequence at which the next request begins" },
      { name: "offset", type: "u32", doc: "of that request in the send that is looked at" },
      { name: "is_lost", type: "u32", doc: "1: where requests begin is not known any more" },
      {
        name: "moved",
        type: "u32",
        doc: "bytes that were sent past TCP, which TCP does not number; modulo 2^32",
      },
    ],
  },
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
    ],
  },
  {
    name: "link_value",
    doc: "A connection that the relay has opened to an endpoint for requests that programs take, by its cookie.",
    fields: [
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
        doc: "of the link; of settle: of the caller; of has_unread: of any in `callers`",
      },
      { name: "network", type: "u64", doc: "of add_link: this and the next two as in `pool_key`" },
      { name: "workload", type: "u64" },
      { name: "endpoint", type: "u64" },
      { name: "kind", type: "u32", doc: "`command_kind`" },
      { name: "is_reusable", type: "u32", doc: "of release: 1: the link goes back to its pool" },
    ],
  },
  {
    name: "flow_key",
    doc: "An endpoint that an unconnected UDP socket has sent to.",
    fields: [
      { name: "cookie", type: "u64", doc: "the socket's cookie; never reused" },
      { name: "address", type: "address" },
      { name: "port", type: "be16" },
    ],
  },
  {
    name: "flow_value",
    doc: "The address that the socket's owner had dialled.",
    fields: [
      { name: "address", type: "address" },
      { name: "port", type: "be16" },
    ],
  },
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
  {
    name: "match_entry",
    doc: "Entry of a match automaton's table; compiler/src/automaton says how it is made.",
    fields: [
      { name: "owner", type: "u32", doc: "place of the row that the entry belongs to" },
      { name: "next", type: "u32", doc: "place to go on at, or a number with the topmost bit set" },
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

/** Index of each counter in the per-CPU array `statistics`. Those of failures should stay 0. */
export const statistics = [
  { name: "decided", doc: "connections and datagrams that met a service of ours" },
  { name: "left_alone", doc: "connections and datagrams to a service of ours that are not decided here" },
  { name: "uncounted", doc: "not counted by edge, as the table was full" },
  { name: "unremembered", doc: "the dialled address could not be kept, so getpeername shows the endpoint" },
  { name: "broken_table", doc: "a service pointed to a slot that is not there; the connection was refused" },
  {
    name: "relay_missing",
    doc: "connections for the relay that were decided once instead, as the relay could not be reached from the caller's socket",
  },
  {
    name: "switched_requests",
    doc: "requests that programs took off the way to the relay",
  },
  { name: "moved_answers", doc: "answers to these that programs moved; the others the relay carried" },
  { name: "passed_head", doc: "sends left to the relay: not one whole request with a strict head" },
  { name: "passed_rule", doc: "sends left to the relay: by the rule of the request" },
  {
    name: "passed_behind",
    doc: "sends left to the relay: behind a request that is not answered, or an answer that is not read",
  },
  { name: "passed_no_link", doc: "sends left to the relay: no link was free" },
  { name: "passed_key", doc: "sends left to the relay: by what consistent hashing looks at" },
  { name: "passed_no_endpoint", doc: "sends left to the relay: no endpoint" },
  { name: "shortcuts", doc: "sends that went straight to the other end on the same node, past TCP" },
  { name: "broken_exchanges", doc: "requests that were cut off on their way, for lack of memory" },
  {
    name: "lost_conversations",
    doc: "connections whose requests are counted no more: a head not strict or not whole in one send, or no room in a map",
  },
  { name: "lost_records", doc: "requests that somebody wanted to see, but did not read in time" },
] as const;

/** Where connections to a service port go. */
export const home = [
  { name: "endpoint", doc: "to an endpoint; the connection is decided once" },
  { name: "relay", doc: "to the relay in the caller's network, which decides each request" },
] as const;

/** Sizes of match tables: programs are made for each. */
export const tableSize = [
  { name: "small", doc: "2^13 entries, 64 KiB" },
  { name: "medium", doc: "2^17 entries, 1 MiB" },
  { name: "large", doc: "2^21 entries, 16 MiB" },
] as const;

/** Places in `request_programs`; those that match are in the order of `table_size`. */
export const requestProgram = [
  { name: "counts", doc: "the requests of native connections" },
  { name: "switches", doc: "looks whether a request may be taken" },
  { name: "match_small", doc: "finds its rule" },
  { name: "match_medium", doc: "the same" },
  { name: "match_large", doc: "the same" },
  { name: "balances", doc: "chooses its endpoint, where that is more than a draw" },
] as const;

/** How programs choose an endpoint of a destination; as the relay's balancers (relay/policy/balancer). */
export const balancing = [
  { name: "random", doc: "drawn" },
  { name: "round_robin", doc: "slots have their turns in order" },
  { name: "least_request", doc: "of two that are drawn, the one that has less under way for its weight" },
  { name: "ring", doc: "by a key: the first point of a ring that is not before its hash" },
  { name: "maglev", doc: "by a key: its hash modulo the table's size" },
] as const;

/** What a key of consistent hashing is. */
export const keyKind = [
  { name: "header", doc: "its value" },
  { name: "cookie", doc: "its value, if not empty" },
  { name: "query", doc: "the value of a parameter" },
  { name: "source", doc: "the caller's own address" },
] as const;

/** What the relay asks of programs, and what they answer. */
export const commandKind = [
  { name: "add_link", doc: "the link joins its pool; answers 1 if there is no room, or no such link" },
  {
    name: "take_link",
    doc: "the link leaves its pool; answers 1 if it did: it was idle, and is the relay's now",
  },
  { name: "settle", doc: "how the caller's last exchange stands; answers `settlement`" },
  { name: "release", doc: "the relay has carried the answer that was passed to it" },
  {
    name: "has_unread",
    doc: "answers 1 if the socket with that cookie in `callers` has not read all that came to it past TCP",
  },
  { name: "drop_link", doc: "nothing is kept of the link any more; before it is closed" },
] as const;

/** How far the exchange of a caller has come. */
export const settlement = [
  { name: "settled", doc: "nothing is under way, and the caller has read all that was moved" },
  { name: "moving", doc: "a request is unanswered, or an answer unread" },
  { name: "gone", doc: "the caller's connection is not there any more" },
] as const;

/** Kinds of actions of a match automaton. */
export const matchKind = [
  { name: "step", doc: "a part's value has ended: the context takes a step" },
  { name: "enter", doc: "a header's value begins that rules, or the framing, look at" },
  { name: "finish", doc: "the head has ended" },
  { name: "relay", doc: "the request is not for the kernel" },
] as const;

/** Bits beside an action's kind, from 0x100 on. */
export const matchFlag = [
  { name: "is_head", doc: "the method is HEAD: the answer has no body" },
  { name: "is_header_value", doc: "the value may not end in a space" },
  { name: "is_content_length", doc: "the value is the content's length" },
  { name: "is_status", doc: "the digits before are an answer's status" },
  { name: "is_answer", doc: "of finish: it is the head of an answer, which names no host" },
] as const;

/** What comes of a scan. */
export const matchVerdict = [
  { name: "open", doc: "the head has not ended" },
  { name: "rule", doc: "the head has ended, and what it asks for is known" },
  { name: "relay", doc: "the request is not for the kernel" },
] as const;

/** Why a request is not for the kernel. */
export const matchRelay = [
  { name: "byte", doc: "a byte that has no place there" },
  { name: "method", doc: "a method that is not known" },
  { name: "target", doc: "a target that is not a path" },
  { name: "path_form", doc: "a path that must be normalised first" },
  { name: "version", doc: "not HTTP/1.1" },
  { name: "framing", doc: "framing, or a hop that must be looked at" },
  { name: "repeated", doc: "a header that comes twice" },
  { name: "value_form", doc: "a value of a form that must be looked at" },
  { name: "unfinished", doc: "a head that is not whole" },
  { name: "no_host", doc: "no host" },
] as const;
