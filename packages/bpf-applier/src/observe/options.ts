import { parseSample, parseStatus, type WantedRequests } from "@keelson/model/observation";
import { type Command, InvalidArgumentError, Option } from "commander";

/** What those who observe say on a command line. */
export interface ObserveFlags extends Partial<Omit<WantedRequests, "every">> {
  readonly sample: number;
  readonly output: "text" | "wide" | "json";
  readonly follow?: boolean;
  /** Seconds. */
  readonly for: number;
  readonly limit?: number;
}

/** Adds the options that `keelson observe` and `bpf-applier observe` have in common. */
export function addObserveOptions(command: Command): Command {
  return command
    .option(
      "--from <pod>",
      'only of this caller: "namespace/pod", "namespace/", or the beginning of a pod\'s name up to a "-"',
    )
    .option(
      "--to <service>",
      'only to this service: its hostname or the beginning of it up to a ".", with or without :PORT',
    )
    .addOption(
      new Option("--status <status>", "only with this status, such as 503 or 5xx").argParser(
        checked(parseStatus),
      ),
    )
    .option("--route <name>", "only by this route; of requests on native connections nobody knows it")
    .addOption(
      new Option("--sample <1/N>", "only one of so many, drawn at random")
        .argParser(checked(parseSample))
        .default(1, "1/1"),
    )
    .addOption(
      new Option(
        "-o, --output <format>",
        "wide: with method, path, endpoint and bytes; json: one object on each line",
      )
        .choices(["text", "wide", "json"])
        .default("text"),
    )
    .option("-f, --follow", "until interrupted")
    .addOption(
      new Option("--for <seconds>", "how long")
        .argParser(checked(parseSeconds))
        .default(10)
        .conflicts("follow"),
    )
    .addOption(new Option("-n, --limit <number>", "no more than so many").argParser(checked(parseLimit)));
}

export const wantedOf = ({
  sample,
  from = "",
  to = "",
  status = "",
  route = "",
}: ObserveFlags): WantedRequests => ({
  every: sample,
  from,
  to,
  status,
  route,
});

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0.1 && seconds <= 86_400)) throw new RangeError("Expected seconds between 0.1 and 86400.");
  return seconds;
}

function parseLimit(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new RangeError("Expected a number from 1 on.");
  return Number(text);
}

/** Commander says what is wrong with a command line only if it is told so in its own way. */
const checked =
  <T>(parse: (text: string) => T) =>
  (text: string): T => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  };
