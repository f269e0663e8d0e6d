import type { StructDescription } from "../describe.ts";

/** Of connections: where they go, and what is kept of each. */
export const connectionStructs: readonly StructDescription[] = [
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
      {
        name: "address",
        type: "address",
        doc: "the caller's own: one that it has bound may share its port with another of the namespace's",
      },
      { name: "port", type: "be16", doc: "the caller's own" },
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
];
