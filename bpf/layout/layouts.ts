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
    ],
  },
];

/** Index of each counter in the per-CPU array `statistics`. Those of failures should stay 0. */
export const statistics = [
  { name: "decided", doc: "connections and datagrams that met a service of ours" },
  { name: "left_alone", doc: "connections and datagrams to a service of ours that are not decided here" },
  { name: "uncounted", doc: "decided, but the edge table was full" },
  { name: "unremembered", doc: "the dialled address could not be kept, so getpeername shows the endpoint" },
  { name: "broken_table", doc: "a service pointed to a slot that is not there; the connection was refused" },
  {
    name: "relay_missing",
    doc: "connections for the relay that were decided once instead, as the relay could not be reached from the caller's socket",
  },
  {
    name: "lost_conversations",
    doc: "connections whose requests are counted no more: a head not strict or not whole in one send, or no room in a map",
  },
] as const;

/** Where connections to a service port go. */
export const home = [
  { name: "endpoint", doc: "to an endpoint; the connection is decided once" },
  { name: "relay", doc: "to the relay in the caller's network, which decides each request" },
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
