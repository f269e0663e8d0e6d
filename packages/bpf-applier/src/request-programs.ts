import { matchAutomaton } from "@keelson/compiler/automaton";
import { BpfError, type BpfMap, type BpfObject } from "bpf-maps-native";

/**
 * What is done with the sockets of callers of HTTP ports. "count": an sk_msg program sees what they send on connections that go
 * natively to an endpoint, and counts requests. "switch": beside that, programs take requests off the way to the relay, and
 * answers leave on the caller's own connection. "queue": the same, but answers go past TCP into the caller's queue, as does what
 * both ends of a native connection on the node send: cheaper, and some readers can tell (bpf/README.md).
 */
export const socketModes = ["off", "count", "switch", "queue"] as const;
export type SocketMode = (typeof socketModes)[number];

/** Programs take requests off the way to the relay. */
export const takesRequests = (mode: SocketMode): boolean => mode === "switch" || mode === "queue";

/** The mode that a node is in, and why it is not the one that was asked for. */
export interface SocketStatus {
  readonly mode: SocketMode;
  readonly lowerBecause?: string;
}

/** Maps that only programs on callers' sockets use; pinned where there are such. */
export const socketMaps = [
  "conversations",
  "speakers",
  "callers",
  "request_programs",
  "answers",
  "observation",
  "records",
] as const;

const stub = "keelson_speak";
const counter = "keelson_count_requests";
/** Not of these alone, but it does more where they are there; the second one instead of it, where sends take the shortcut. */
const established = { plain: "keelson_established", shortcut: "keelson_established_shortcut" };
const first = new Uint8Array(4);
/** Bytes; a ring buffer has at least a page. */
const largestPage = 65_536;

/** Before load: no program looks at requests. */
export function leaveOutRequestPrograms(object: BpfObject): void {
  for (const name of [stub, counter, established.shortcut])
    object.configureProgram(name, { autoload: false });
  for (const map of ["callers", "answers", "meetings"]) object.configureMap(map, { maxEntries: 1 });
  object.configureMap("records", { maxEntries: largestPage });
}

/** What a strict head is: the automaton of no rules. */
function headGrammar(): { start: number; context: number; entries: Uint32Array } {
  const automaton = matchAutomaton([]);
  if ("unfit" in automaton) throw new Error(`the grammar of heads ${automaton.unfit}`);
  return automaton;
}

/**
 * Before load: programs look at requests.
 * @param shortcuts what both ends of a connection are on the node for goes past TCP
 */
export function configureRequestPrograms(object: BpfObject, shortcuts = false): void {
  const { start, context } = headGrammar();
  object.setReadOnlyData("looks_at_requests", true);
  object.setReadOnlyData("head_start", start);
  object.setReadOnlyData("head_context", context);
  object.setReadOnlyData("takes_shortcuts", shortcuts);
  const unused = shortcuts ? established.plain : established.shortcut;
  object.configureProgram(unused, { autoload: false });
}

/** The program that hangs on a hook. @param hook its program in most modes */
export const programOf = (hook: string, mode: SocketMode): string =>
  hook === established.plain && mode === "queue" ? established.shortcut : hook;

/**
 * After load: sockets that come into the map from now on have the stub, and those that are in it already, too, which an
 * earlier applier left; what the stub calls is replaced for all of them at once.
 */
export async function attachRequestPrograms(object: BpfObject): Promise<void> {
  using grammar = object.map("head_grammar");
  putGrammar(grammar, headGrammar());
  using programs = object.map("request_programs");
  using counting = object.program(counter);
  await programs.setProgram(first, counting);
  using speaking = object.program(stub);
  using callers = object.map("callers");
  const attachment = await speaking.attachSockmap(callers);
  attachment.close();
}

/** Before programs that read by it are called. @param map of one entry, as large as the largest grammar that fits */
export function putGrammar(map: BpfMap, { entries }: { readonly entries: Uint32Array }): void {
  const { valueSize, name } = map.info;
  if (entries.byteLength > valueSize)
    throw new Error(`a grammar has ${entries.byteLength} bytes, ${name} room for ${valueSize}`);
  const value = new Uint8Array(valueSize);
  value.set(new Uint8Array(entries.buffer, entries.byteOffset, entries.byteLength));
  map.update(first, value);
}

/** Why programs on callers' sockets are not there, from what the kernel said; undefined: it is no error of theirs. */
export function whyNoRequestPrograms(error: unknown): string | undefined {
  if (
    !(error instanceof BpfError) ||
    ![stub, counter, established.plain].some((name) => error.message.includes(name))
  )
    return undefined;
  return `${error.message} (they need CAP_PERFMON, to read where a connection's stream of bytes stands)`;
}
