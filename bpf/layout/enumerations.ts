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
    name: "watch_link",
    doc: "the relay is told of the next bytes that are left to it there; answers 1: no such link",
  },
  { name: "drop_link", doc: "programs know nothing of the link any more; before it is closed" },
  { name: "drop_pool", doc: "the same of a pool of which no link is left" },
  { name: "leave", doc: "the same of callers" },
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

/** What the topmost bits of a `match_entry`'s `next` say, from bit 31 downwards. */
export const matchNext = [
  { name: "mark", doc: "it is no row's place, but an action's or a number" },
  {
    name: "stays",
    doc: "of a row's default: every byte of text leads back to the row, which a reader may therefore pass over text in",
  },
  {
    name: "falls_back",
    doc: "of a row's default: what the row has no entry for, it does as the row at this place",
  },
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
