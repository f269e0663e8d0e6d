import { rename } from "node:fs/promises";
import { requestProgram } from "@keelson/bpf";
import { switchingObjectPath } from "@keelson/bpf/object";
import { answerAutomaton } from "@keelson/compiler/automaton";
import { type BpfMap, BpfObject, unpin } from "bpf-maps-native";
import { indexKey } from "../bank-headers.ts";
import type { OuterMaps } from "../banks.ts";
import { loadOntoPins } from "../pinned-maps.ts";
import type { PinFolder } from "../pins.ts";
import { putGrammar } from "../request-programs.ts";
import { unreadPin } from "./draining.ts";
import type { TableMaps } from "./match-table-maps.ts";

/** Maps that only programs which take requests use, and those that work on them. */
const switchingMaps = [
  "switched_services",
  "switched_rules",
  "switched_destinations",
  "switched_keys",
  "rings",
  "tallies",
  "match_tables_small",
  "match_tables_medium",
  "match_tables_large",
  "homes",
  "links",
  "exchanges",
  "handbacks",
  "link_values",
  "passed_links",
  "request_scans",
  "answer_scans",
  "pools",
  "answer_programs",
] as const;

/** Programs that are run by hand, by their pins. The relay works on pools and links by the first. */
const runPrograms: readonly (readonly [string, string])[] = [
  ["command", "keelson_command"],
  [unreadPin, "keelson_unread"],
];

/** All pins that are there only where programs take requests; copies of tables, too (InnerMaps). */
export const switchingPins = [
  ...runPrograms.map(([pin]) => pin),
  ...switchingMaps,
  ...["switched_ports", "switched_rules", "switched_ends", "switched_keys"].flatMap((name) => [
    `${name}_0`,
    `${name}_1`,
  ]),
] as const;

/** Programs that look at requests, by their places; `keelson_count_requests` calls the first. */
const requestPrograms: readonly (readonly [number, string])[] = [
  [requestProgram.switches.value, "keelson_switch"],
  [requestProgram.matchSmall.value, "keelson_match_small"],
  [requestProgram.matchMedium.value, "keelson_match_medium"],
  [requestProgram.matchLarge.value, "keelson_match_large"],
  [requestProgram.balances.value, "keelson_balance"],
];

/** The programs that take requests off the way to the relay: an object beside the first, with which it shares maps. */
export class Switching {
  /** Beside those of the first object. */
  readonly outerMaps: Required<
    Pick<OuterMaps, "switchedServices" | "switchedRules" | "switchedDestinations" | "switchedKeys">
  >;
  readonly matchTables: TableMaps;
  readonly rings: BpfMap;
  private readonly object: BpfObject;

  private constructor(object: BpfObject) {
    this.object = object;
    this.outerMaps = {
      switchedServices: object.map("switched_services"),
      switchedRules: object.map("switched_rules"),
      switchedDestinations: object.map("switched_destinations"),
      switchedKeys: object.map("switched_keys"),
    };
    this.rings = object.map("rings");
    this.matchTables = {
      small: object.map("match_tables_small"),
      medium: object.map("match_tables_medium"),
      large: object.map("match_tables_large"),
    };
  }

  /**
   * @param first the other object, loaded
   * @param intoQueue answers go into the caller's queue, instead of onto its own connection
   * @throws BpfError if the kernel refuses the programs
   */
  static async load(first: BpfObject, pins: PinFolder, intoQueue: boolean): Promise<Switching> {
    const object = await BpfObject.open(switchingObjectPath);
    try {
      prepareSwitching(object, first, intoQueue);
      await loadOntoPins(object, pins, switchingMaps);
      for (const [pin, name] of runPrograms) await pinProgram(object, name, pins.map(pin));
      await attach(object);
      return new Switching(object);
    } catch (error) {
      object.close();
      throw error;
    }
  }

  close(): void {
    const { outerMaps, matchTables, rings } = this;
    for (const map of Object.values<BpfMap>({ ...outerMaps, ...matchTables, rings })) map.close();
    this.object.close();
  }
}

/** Before load. @param intoQueue as for {@link Switching.load} */
export function prepareSwitching(object: BpfObject, first: BpfObject, intoQueue: boolean): void {
  shareMaps(object, first);
  const { start, context } = answerAutomaton();
  object.setReadOnlyData("answer_start", start);
  object.setReadOnlyData("answer_context", context);
  object.setReadOnlyData("answers_into_queue", intoQueue);
}

/** From now on programs take no request. */
export async function detachSwitching(requests: BpfMap): Promise<void> {
  for (const [place] of requestPrograms) await requests.deleteReference(indexKey(place));
}

/** Maps of data have a dot in their names, and are each object's own. */
function shareMaps(object: BpfObject, first: BpfObject): void {
  const shared = new Set(first.mapNames().filter((name) => !name.includes(".")));
  for (const name of object.mapNames()) {
    if (!shared.has(name)) continue;
    using map = first.map(name);
    object.configureMap(name, { reuse: map });
  }
}

/** In place of the one that an earlier applier left; at every moment one of the two is there. */
async function pinProgram(object: BpfObject, name: string, pin: string): Promise<void> {
  using program = object.program(name);
  const beside = `${pin}_new`;
  unpin(beside);
  program.pin(beside);
  await rename(beside, pin);
}

/**
 * Links that come into their map from now on have the stub; what it calls, and what looks at callers' requests, is replaced for
 * all sockets at once. Answers first: no request is taken whose answer could not be moved.
 */
async function attach(object: BpfObject): Promise<void> {
  using grammar = object.map("answer_grammar");
  putGrammar(grammar, answerAutomaton());
  using answers = object.map("answer_programs");
  using answering = object.program("keelson_answer");
  await answers.setProgram(indexKey(0), answering);
  using hearing = object.program("keelson_hear");
  using links = object.map("links");
  const attachment = await hearing.attachSockmap(links, "sk_skb_verdict");
  attachment.close();
  using requests = object.map("request_programs");
  for (const [place, name] of requestPrograms) {
    using program = object.program(name);
    await requests.setProgram(indexKey(place), program);
  }
}
