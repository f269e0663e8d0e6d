import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { matchAutomaton } from "@keelson/compiler/automaton";
import { HttpMatchSchema } from "@keelson/protos/match";
import { missingForKernel } from "../../world/requirements.ts";
import type { Benchmark, BenchmarkOptions } from "../benchmark.ts";
import type { CellRow } from "../http/figures.ts";
import { Ground } from "../http/ground.ts";
import { Measuring } from "../http/measuring.ts";
import { directRow } from "../http/rows/direct.ts";
import { relayRow, switchedRow } from "../http/rows/keelson.ts";
import { envoyWith } from "../http/rows/proxies.ts";
import { drawRequests } from "./draw.ts";
import { rulesText } from "./report.ts";
import { type Shape, shapes } from "./shapes.ts";

interface Scale {
  /** How many rules one service has. */
  readonly rules: readonly number[];
  readonly rounds: number;
  readonly measureMs: number;
  readonly warmUpMs: number;
  /** Of each row, before the first round: what learns of texts as they come meets those of most requests. */
  readonly learnMs: number;
}

const full: Scale = {
  rules: [1, 10, 100, 1_000, 10_000],
  rounds: 3,
  measureMs: 500,
  warmUpMs: 700,
  learnMs: 1_500,
};
const quick: Scale = { rules: [1, 100], rounds: 1, measureMs: 50, warmUpMs: 100, learnMs: 100 };

/** Requests that are drawn, and then sent again and again. */
const drawn = 20_000;

/** One service with so many rules of one shape. */
export interface RulesFigures {
  readonly shape: string;
  readonly rules: number;
  /** Of the kernel's match automaton; or why there is none. */
  readonly table: { readonly entries: number; readonly bytes: number } | { readonly unfit: string };
  readonly rows: readonly CellRow[];
  /** By name of a row: why it has no figures. */
  readonly faults: Readonly<Record<string, string>>;
}

export const rulesBenchmark: Benchmark = {
  name: "rules",
  what: "what a request costs by the number of rules in its service, beside Envoy with the same routes",
  missing: missingForKernel,
  async run(options) {
    const figures = await measure(options, options.quick ? quick : full);
    return { figures: { services: figures }, text: rulesText(figures) };
  },
};

async function measure({ world, progress }: BenchmarkOptions, scale: Scale): Promise<RulesFigures[]> {
  progress("two nodes, a caller and two servers");
  await using ground = await Ground.open(world);
  const figures: RulesFigures[] = [];
  for (const shape of shapes) {
    for (const rules of scale.rules) {
      progress(`${rules} rules: ${shape.name}`);
      figures.push(await measureRules(ground, shape, rules, scale));
    }
  }
  return figures;
}

async function measureRules(
  ground: Ground,
  shape: Shape,
  rules: number,
  scale: Scale,
): Promise<RulesFigures> {
  const { rounds, measureMs, warmUpMs, learnMs } = scale;
  const all = Array.from({ length: rules }, (_, rule) => rule);
  const heads = join(ground.world.names.folder, "heads");
  await writeFile(heads, drawRequests(shape, rules, drawn));
  await ground.route(all.map((rule) => shape.match(rule)));
  const rows = [directRow, switchedRow, relayRow, envoyWith(all.map((rule) => shape.envoyMatch(rule)))];
  const measuring = await Measuring.start(ground, rows, directRow);
  try {
    await measuring.enter("pinned");
    await measuring.warmUp(learnMs, { heads });
    const load = { mode: "closed", connections: 16, size: 128, heads } as const;
    const cell = await measuring.measure({ regime: "pinned", load }, rounds, { warmMs: warmUpMs, measureMs });
    return {
      shape: shape.name,
      rules,
      table: tableOf(shape, all),
      rows: cell.rows,
      faults: Object.fromEntries(measuring.faults),
    };
  } finally {
    await measuring.close();
  }
}

/** Size of the table by which the kernel would find the rule of a request; the last rule holds for all. */
function tableOf(shape: Shape, all: readonly number[]): RulesFigures["table"] {
  const matches = all.map((rule) => [create(HttpMatchSchema, shape.compiledMatch(rule))]);
  const automaton = matchAutomaton([...matches, []]);
  if ("unfit" in automaton) return automaton;
  const { entries, bytes } = automaton.size;
  return { entries, bytes };
}
