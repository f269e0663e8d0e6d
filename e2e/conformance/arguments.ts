import { parseArgs } from "node:util";
import { isChanging } from "./case.ts";
import { cases } from "./cases/index.ts";
import { type Variant, variants } from "./peer/messages.ts";
import type { Planned } from "./run.ts";

const programs = ["keelson", "istiod"] as const;

/** The server to examine: one that the program starts, or one that runs already. */
export type Target =
  | { readonly start: (typeof programs)[number] }
  | { readonly address: string; readonly configFolder: string | undefined; readonly namespace: string };

export type ConformanceCommand =
  | { readonly kind: "help" }
  | { readonly kind: "wrong"; readonly message: string }
  | { readonly kind: "list"; readonly plan: readonly Planned[] }
  | {
      readonly kind: "run";
      readonly target: Target;
      readonly plan: readonly Planned[];
      readonly json: boolean;
      readonly patienceMs: number;
      /** File of known differences. */
      readonly differences: string | undefined;
    };

const options = {
  server: { type: "string" },
  start: { type: "string" },
  "config-folder": { type: "string" },
  namespace: { type: "string" },
  differences: { type: "string" },
  variant: { type: "string", default: "both" },
  case: { type: "string", multiple: true },
  patience: { type: "string", default: "10" },
  quick: { type: "boolean", default: false },
  list: { type: "boolean", default: false },
  output: { type: "string", short: "o", default: "text" },
  help: { type: "boolean", short: "h", default: false },
} as const;

export const help = `Examines whether a server of Envoy's aggregated discovery service (ADS) speaks the protocol as istiod does.

usage: npm run e2e -- conformance [options]

  --server HOST:PORT   a server that runs already, at its port of plain gRPC
  --config-folder DIR  with --server: a folder of YAML files that the server watches. Cases that change the configuration
                       write objects of Istio there, in namespaces of their own; without it they are skipped
  --namespace NAME     with --server: the namespace of the node that asks (default; with --config-folder: conformance)
  --start NAME         instead of --server: start keelson (the default) or istiod, with a folder of its own
  --differences FILE   cases that the server is known not to pass, a line for each: "case variant: reason". One that
                       passes all the same is a failure. (For --start istiod there is such a list.)
  --variant NAME       sotw (state of the world), delta, or both (the default)
  --case NAME          only this case; can be repeated
  --quick              without the cases that take more than 10 s
  --patience SECONDS   how long an answer is waited for (10)
  --list               the cases, with the rules they stand for
  -o, --output FORMAT  text (the default) or json (npm run --silent, so that npm's own lines are not in front of it)
  -h, --help           this text

Examples:
  npm run e2e -- conformance
  npm run e2e -- conformance --start istiod --variant delta
  npm run e2e -- conformance --server 127.0.0.1:15010 --namespace bookinfo
  npm run e2e -- conformance --server 127.0.0.1:15010 --config-folder /etc/mesh --differences known.txt
  npm run e2e -- conformance --case stale-nonce-is-ignored --case nack-is-not-answered

Exit code: 0 all passed, skipped or listed; 1 a case failed, or the server cannot be examined; 2 wrong usage.
`;

export function parseConformanceArguments(args: readonly string[]): ConformanceCommand {
  try {
    const { values } = parseArgs({ args: [...args], options });
    if (values.help) return { kind: "help" };
    const plan = planOf(values);
    if (values.list) return { kind: "list", plan };
    return {
      kind: "run",
      target: targetOf(values),
      plan,
      json: oneOf(values.output, ["text", "json"], "--output") === "json",
      patienceMs: secondsOf(values.patience) * 1000,
      differences: values.differences,
    };
  } catch (error) {
    return { kind: "wrong", message: error instanceof Error ? error.message : String(error) };
  }
}

interface PlanValues {
  readonly variant: string;
  readonly case?: readonly string[] | undefined;
  readonly quick: boolean;
}

function planOf({ variant, case: names, quick }: PlanValues): Planned[] {
  const wanted = oneOf(variant, [...variants, "both"], "--variant");
  const unknown = (names ?? []).filter((name) => !cases.some((each) => each.name === name));
  if (unknown.length > 0) throw new Error(`there is no case ${unknown.join(", ")}; --list has them all`);
  const chosen = cases.filter(({ name, slow }) => names?.includes(name) ?? !(quick && slow === true));
  const isWanted = (each: Variant): boolean => wanted === "both" || each === wanted;
  const plan = chosen.flatMap((each) =>
    each.variants.filter(isWanted).map((one): Planned => ({ each, variant: one })),
  );
  if (plan.length === 0) throw new Error(`none of these cases has the variant ${wanted}`);
  return plan;
}

interface TargetValues {
  readonly server?: string | undefined;
  readonly start?: string | undefined;
  readonly "config-folder"?: string | undefined;
  readonly namespace?: string | undefined;
}

function targetOf({ server, start, "config-folder": configFolder, namespace }: TargetValues): Target {
  if (server === undefined) {
    if (configFolder !== undefined || namespace !== undefined)
      throw new Error(
        "--config-folder and --namespace are of a server that runs already: name it by --server",
      );
    return { start: oneOf(start ?? "keelson", programs, "--start") };
  }
  if (start !== undefined) throw new Error("either --server or --start, not both");
  if (!/^.+:\d+$/.test(server)) throw new Error(`--server: "${server}" is no HOST:PORT`);
  if (configFolder !== undefined && namespace !== undefined)
    throw new Error(
      "--namespace says where a server has resources already; with --config-folder they are written",
    );
  return { address: server, configFolder, namespace: namespace ?? "default" };
}

function oneOf<Name extends string>(told: string, names: readonly Name[], option: string): Name {
  const found = names.find((name) => name === told);
  if (found === undefined) throw new Error(`${option}: "${told}" is none of ${names.join(", ")}`);
  return found;
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (seconds > 0 && seconds <= 600) return seconds;
  throw new Error(`--patience: "${text}" is no number of seconds from above 0 to 600`);
}

/** The cases of a plan, each with its variants and the rules that it stands for. */
export function listText(plan: readonly Planned[]): string {
  const byCase = Map.groupBy(plan, ({ each }) => each);
  const lines = [...byCase].flatMap(([each, planned]) => [
    `${each.name}  (${planned.map(({ variant }) => variant).join(", ")}; ${each.rules.join(", ")})`,
    `    ${isChanging(each) ? "changes the configuration: " : ""}${each.what}`,
  ]);
  return `${lines.join("\n")}\n\n${byCase.size} cases, ${plan.length} with their variants\n`;
}
