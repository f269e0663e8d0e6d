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
      { name: "slot_count", type: "u32", doc: "0: every connection is refused" },
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
    name: "peer",
    doc: "Kept in a socket's storage: whom its owner dialled, and where the connection went.",
    fields: [
      { name: "dialled_address", type: "address" },
      { name: "endpoint_address", type: "address" },
      { name: "dialled_port", type: "be16" },
      { name: "endpoint_port", type: "be16" },
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
      { name: "endpoint", type: "u64", doc: "0: refused" },
    ],
  },
  {
    name: "edge_value",
    doc: "Counters of an edge on one CPU.",
    fields: [
      { name: "connections", type: "u64" },
      { name: "datagrams", type: "u64" },
      { name: "refused", type: "u64" },
    ],
  },
];

/** Index of each counter in the per-CPU array `statistics`. All but the first should stay 0. */
export const statistics = [
  { name: "decided", doc: "connections and datagrams that met a service of ours" },
  { name: "uncounted", doc: "decided, but the edge table was full" },
  { name: "unremembered", doc: "the dialled address could not be kept, so getpeername shows the endpoint" },
  { name: "broken_table", doc: "a service pointed to a slot that is not there; the connection was refused" },
] as const;
