import type {
  CarriedRoute,
  DestinationExplanation,
  PortExplanation,
  RuleExplanation,
  ServiceExplanation,
} from "@keelson/compiler";
import type { Paint, Style } from "../output/paint.ts";
import { indent, table } from "../output/table.ts";

/** More than these are counted only; JSON and YAML have them all. */
const shownEndpoints = 20;

export function explanationsText(services: readonly ServiceExplanation[], paint: Paint): string {
  if (services.length === 0) return "the configuration has no services";
  return services.map((service) => serviceText(service, paint)).join("\n\n");
}

function serviceText({ hostname, addresses, leftAlone, ports }: ServiceExplanation, paint: Paint): string {
  const dialled =
    addresses.length === 0 ? "none (headless: callers dial the endpoints themselves)" : addresses.join(", ");
  return [
    paint("bold", hostname),
    ...indent([`addresses  ${dialled}`], 2),
    ...(leftAlone === undefined ? [] : [`  nodes      leave connections as they are: ${leftAlone}`]),
    ...(ports.length === 0 ? ["", "  no TCP or UDP ports"] : []),
    ...ports.flatMap((port) => ["", ...indent(portLines(port, hostname, paint), 2)]),
  ].join("\n");
}

function portLines(explanation: PortExplanation, hostname: string, paint: Paint): string[] {
  const {
    port,
    name,
    transport,
    protocol,
    tier,
    wantedTier,
    why,
    matching,
    rules,
    policies = [],
    destinations,
  } = explanation;
  const isShort = tier === "connect" && wantedTier !== "connect";
  const carried = isShort ? `${tier}, ${paint("yellow", `but wants ${wantedTier}`)}` : tier;
  const facts = [
    ["protocol", protocol],
    ["tier", `${carried}: ${why}`],
    ...(matching === undefined ? [] : [["matching", matching]]),
  ];
  return [
    paint("bold", `port ${port}/${transport}${name === "" ? "" : ` (${name})`}`),
    ...indent(table(facts), 2),
    ...indent(ruleLines(rules, hostname, paint), 2),
    ...indent(policyLines(policies, paint), 2),
    tier === "relay" ? "  destinations of connections on a node without a relay" : "  destinations",
    ...indent(table([destinationHeading, ...destinations.flatMap((to) => rowsOf(to, hostname))]), 4),
    ...indent(
      destinations.flatMap((to) => warningOf(to, hostname, paint)),
      4,
    ),
  ];
}

const stateStyles: Record<RuleExplanation["state"], Style> = {
  applies: "green",
  "partly applies": "yellow",
  "not applied": "yellow",
  shadowed: "dim",
};

function ruleLines(rules: readonly RuleExplanation[], hostname: string, paint: Paint): string[] {
  if (rules.length === 0) return ["rules     none"];
  const isCarried = rules.some(({ carried }) => carried !== undefined);
  const heading = ["PRECEDENCE", "RULE", "STATE", ...(isCarried ? ["TIER", "TO"] : []), "WHY"];
  const rows = rules.map(({ precedence, rule, field = "", state, why, carried }) => [
    String(precedence),
    routeOf(rule, field),
    paint(stateStyles[state], state),
    ...(isCarried ? [carried?.tier ?? "", carried === undefined ? "" : targetsOf(carried, hostname)] : []),
    [why, carried?.why, relayedText(carried)].filter(Boolean).join("; "),
  ]);
  const warnings = rules.flatMap(({ carried }) =>
    (carried?.destinations ?? []).flatMap((to) => warningOf(to, hostname, paint)),
  );
  return [
    "rules, in the order in which they are asked",
    ...indent([...table([heading, ...rows]), ...warnings], 2),
  ];
}

const relayedText = (carried: CarriedRoute | undefined): string =>
  carried?.relayedBecause === undefined ? "" : `not in the kernel: ${carried.relayedBecause}`;

/** "80% version=v1, 20% version=v2" */
function targetsOf({ destinations }: CarriedRoute, hostname: string): string {
  if (destinations.length === 0) return "answers itself";
  return destinations.map((to) => `${percentage(to.share)} ${describeTarget(to, hostname)}`).join(", ");
}

/** Which of several routes of a rule is meant. */
const routeOf = (rule: string, field: string): string =>
  field === "" || field === "spec" ? rule : `${rule} ${field.replace(/^spec\./, "")}`;

function policyLines(policies: readonly RuleExplanation[], paint: Paint): string[] {
  if (policies.length === 0) return [];
  const rows = policies.map(({ rule, state, why }) => [rule, paint(stateStyles[state], state), why]);
  return ["traffic policies", ...indent(table([["RULE", "STATE", "WHY"], ...rows]), 2)];
}

const destinationHeading = ["SHARE", "TO", "ENDPOINT", "WORKLOAD"];

function rowsOf(destination: DestinationExplanation, hostname: string): string[][] {
  const { share, endpoints } = destination;
  const shown = endpoints.slice(0, shownEndpoints).map(({ address, workload }) => [address, workload]);
  const hidden = endpoints.length - shown.length;
  if (hidden > 0) shown.push([`and ${hidden} more`, ""]);
  if (shown.length === 0) shown.push(["none", ""]);
  return shown.map((row, i) => [
    ...(i === 0 ? [percentage(share), describeTarget(destination, hostname)] : ["", ""]),
    ...row,
  ]);
}

function warningOf(destination: DestinationExplanation, hostname: string, paint: Paint): string[] {
  const { warning, share } = destination;
  if (warning === undefined) return [];
  const target = describeTarget(destination, hostname);
  return [`${paint("yellow", "warning")}: ${percentage(share)} to ${target}: ${warning}`];
}

/** "version=v1", "all endpoints", "ratings.default.svc.cluster.local version=v1". */
function describeTarget({ hostname: to, labels }: DestinationExplanation, hostname: string): string {
  const chosen = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .sort();
  const which = chosen.length === 0 ? "all endpoints" : chosen.join(",");
  return to === hostname ? which : `${to} ${which}`;
}

/** "80%", "33.3%". */
const percentage = (share: number): string => `${Math.round(share * 1000) / 10}%`;
