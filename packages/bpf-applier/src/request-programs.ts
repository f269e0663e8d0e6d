import { matchAutomaton } from "@keelson/compiler/automaton";
import { BpfError, type BpfMap, type BpfObject } from "bpf-maps-native";

/**
 * What is done with the sockets of callers whose connections go natively to an endpoint of an HTTP port. "count": an sk_msg
 * program sees what they send, and counts requests.
 */
export const socketModes = ["off", "count"] as const;
export type SocketMode = (typeof socketModes)[number];

/** The mode that a node is in, and why it is not the one that was asked for. */
export interface SocketStatus {
  readonly mode: SocketMode;
  readonly offBecause?: string;
}

/** Maps that only programs on callers' sockets use; pinned where there are such. */
export const socketMaps = [
  "conversations",
  "callers",
  "request_programs",
  "answers",
  "observation",
  "records",
] as const;

const stub = "keelson_speak";
const counter = "keelson_count_requests";
const first = new Uint8Array(4);
/** Bytes; a ring buffer has at least a page. */
const largestPage = 65_536;

/** Before load: no program looks at requests. */
export function leaveOutRequestPrograms(object: BpfObject): void {
  for (const name of [stub, counter]) object.configureProgram(name, { autoload: false });
  for (const map of ["callers", "answers"]) object.configureMap(map, { maxEntries: 1 });
  object.configureMap("records", { maxEntries: largestPage });
}

/** What a strict head is: the automaton of no rules. */
function headGrammar(): { start: number; context: number; entries: Uint32Array } {
  const automaton = matchAutomaton([]);
  if ("unfit" in automaton) throw new Error(`the grammar of heads ${automaton.unfit}`);
  return automaton;
}

/** Before load: programs look at requests. */
export function configureRequestPrograms(object: BpfObject): void {
  const { start, context } = headGrammar();
  object.setReadOnlyData("looks_at_requests", true);
  object.setReadOnlyData("head_start", start);
  object.setReadOnlyData("head_context", context);
}

/**
 * After load: sockets that come into the map from now on have the stub, and those that are in it already, too, which an
 * earlier applier left; what the stub calls is replaced for all of them at once.
 */
export async function attachRequestPrograms(object: BpfObject): Promise<void> {
  using grammar = object.map("head_grammar");
  putGrammar(grammar);
  using programs = object.map("request_programs");
  using counting = object.program(counter);
  await programs.setProgram(first, counting);
  using speaking = object.program(stub);
  using callers = object.map("callers");
  const attachment = await speaking.attachSockmap(callers);
  attachment.close();
}

function putGrammar(grammar: BpfMap): void {
  const { entries } = headGrammar();
  const { valueSize } = grammar.info;
  if (entries.byteLength > valueSize) {
    throw new Error(
      `the grammar of heads has ${entries.byteLength} bytes, head_grammar room for ${valueSize}`,
    );
  }
  const value = new Uint8Array(valueSize);
  value.set(new Uint8Array(entries.buffer, entries.byteOffset, entries.byteLength));
  grammar.update(first, value);
}

/** Why programs on callers' sockets are not there, from what the kernel said; undefined: it is no error of theirs. */
export function whyNoRequestPrograms(error: unknown): string | undefined {
  if (!(error instanceof BpfError) || ![stub, counter].some((name) => error.message.includes(name)))
    return undefined;
  return `${error.message} (they need CAP_PERFMON, to read where a connection's stream of bytes stands)`;
}
