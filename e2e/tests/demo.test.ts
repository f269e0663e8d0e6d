import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountOf } from "@keelson/bpf-applier/mount-table";
import { bpffsFolder } from "@keelson/model/names";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { namespaceEtcFolder, namespaceFolder, WorldNames } from "../world/names.ts";
import { missingForKernel } from "../world/requirements.ts";
import { until } from "../world/until.ts";
import { workspaceFolder } from "../world/workspace.ts";

const names = new WorldNames("demotest");
const requests = 120;
const missing = await missingForKernel();
let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keelson-demo-test-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** A demo of its own name, so that it disturbs none that somebody looks at. */
class Demo {
  readonly child: ChildProcess;
  output = "";
  private end: string | undefined;

  constructor(...args: string[]) {
    const program = join(workspaceFolder, "e2e/demo/main.ts");
    const own = [
      "--world",
      names.world,
      "--requests",
      String(requests),
      "--picture",
      join(folder, "traffic.svg"),
    ];
    this.child = spawn(process.execPath, [program, ...own, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => (this.output += text));
    }
    this.child.once("close", (code, signal) => (this.end = String(code ?? signal)));
  }

  async says(text: string): Promise<void> {
    const said = (): boolean => this.output.includes(text);
    await until(() => said() || this.end !== undefined, {
      what: `the demo to say "${text}"`,
      timeoutMs: 60_000,
    });
    expect(said(), this.output).toBe(true);
  }

  /** @returns its exit code, or the signal that ended it. */
  ended(): Promise<string> {
    return until(() => this.end, { what: "the demo to end" });
  }

  /** What the tables say: before the first rule, after it, and after the one for requests. */
  tables(): { pod: string; answers: number; counted: number }[][] {
    const rows = [...this.output.matchAll(/^ +(reviews-v\d) +(\d+) +█?[^\d\n]*(\d+)$/gm)].map(
      ([, pod = "", answers, counted]) => ({ pod, answers: Number(answers), counted: Number(counted) }),
    );
    return [rows.slice(0, 3), rows.slice(3, 6), rows.slice(6)];
  }
}

/** Everything of the demo that is on the machine. */
async function things(): Promise<string[]> {
  const [cgroup2, bpffs] = [await mountOf("cgroup2"), await mountOf("bpf")];
  const folders = [
    namespaceFolder,
    namespaceEtcFolder,
    ...(bpffs === undefined ? [] : [join(bpffs, bpffsFolder)]),
  ];
  const lists = await Promise.all(folders.map((path) => readdir(path).catch(() => [])));
  const owned = lists.flatMap((list, i) =>
    list.filter((name) => names.owns(name)).map((name) => `${folders[i]}/${name}`),
  );
  const single = [names.folder, ...(cgroup2 === undefined ? [] : [join(cgroup2, names.prefix)])];
  return [...owned, ...single.filter((path) => existsSync(path))];
}

/** As a demo does that is killed. */
async function leaveAllBehind(): Promise<void> {
  const killed = new Demo();
  await killed.says("No rule yet");
  killed.child.kill("SIGKILL");
  expect(await killed.ended()).toBe("SIGKILL");
  const left = await things();
  expect(left).toContain(join(namespaceFolder, names.podNamespace("reviews-v1")));
  expect(left).toContain(names.folder);
  expect(left.some((path) => path.includes(`/${bpffsFolder}/`))).toBe(true);
}

describe("[kernel] demo", () => {
  beforeEach((context) => {
    context.skip(missing.length > 0, `needs ${missing.join("; ")}`);
  });

  test("after kill -9 the next start removes what is left, spreads over three versions, then one rule sends all to one, the maps agree, and another rule goes by requests", async () => {
    await leaveAllBehind();
    const demo = new Demo("--once");
    expect(await demo.ended(), demo.output).toBe("0");
    const tables = demo.tables();
    const [before = [], after = [], byRequest = []] = tables;
    expect(before.map(({ pod }) => pod)).toEqual(["reviews-v1", "reviews-v2", "reviews-v3"]);
    expect(before.reduce((sum, { answers }) => sum + answers, 0)).toBe(requests);
    expect(before.every(({ answers }) => answers > 0)).toBe(true);
    expect(after.map(({ answers }) => answers)).toEqual([requests, 0, 0]);
    expect(byRequest.map(({ answers }) => answers)).toEqual([requests / 2, requests / 2, 0]);
    for (const { answers, counted } of tables.flat()) expect(counted).toBe(answers);
    const [, taken, moved] = /programs sent (\d+) of 120 [^]*moved (\d+) of/.exec(demo.output) ?? [];
    expect(Number(taken)).toBeGreaterThan(requests / 2);
    expect(Number(moved)).toBeGreaterThan(requests / 2);
    expect(await things()).toEqual([]);

    const svg = await readFile(join(folder, "traffic.svg"), "utf8");
    const told = /<desc[^>]*>Before: (.*)\. After: (.*)\. Each request: (.*)\.<\/desc>/.exec(svg);
    for (const [i, rows] of tables.entries()) {
      for (const { pod, counted } of rows)
        expect(told?.[i + 1]).toContain(`productpage-v1 to ${pod} ${counted}`);
    }
  });

  test("more pages can be sent by hand, and Ctrl-C ends it with nothing left", async () => {
    const demo = new Demo();
    await demo.says("Ctrl-C ends the demo");
    const send = new Demo("send", "40");
    expect(await send.ended(), send.output).toBe("0");
    expect(send.output).toMatch(/reviews-v1 +40 /);
    const second = new Demo("--once");
    expect(await second.ended()).toBe("1");
    expect(second.output).toContain(`a demo runs already; end it with: kill ${demo.child.pid}`);
    demo.child.kill("SIGINT");
    expect(await demo.ended(), demo.output).toBe("0");
    expect(await things()).toEqual([]);
  });

  test("Ctrl-C before the main job is done leaves nothing either, and says so by the exit code", async () => {
    const demo = new Demo();
    await demo.says("No rule yet");
    demo.child.kill("SIGINT");
    expect(await demo.ended(), demo.output).toBe("130");
    expect(await things()).toEqual([]);
  });
});

test("without privileges it says what is missing and shows the control plane's policy", (context) => {
  const program = [process.execPath, join(workspaceFolder, "e2e/demo/main.ts"), "--once"];
  const dropping = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
  const isRoot = process.getuid?.() === 0;
  context.skip(
    isRoot && spawnSync("setpriv", ["--version"]).status !== 0,
    "as root it needs setpriv (util-linux)",
  );
  const [file = "", ...args] = isRoot ? [...dropping, ...program] : program;
  const { status, stdout } = spawnSync(file, args, { encoding: "utf8" });
  expect(status).toBe(0);
  expect(stdout).toContain(isRoot ? "- the capability CAP_SYS_ADMIN" : "- root:");
  const ir = JSON.parse(stdout.slice(stdout.indexOf("\n{"))) as {
    resources: { type: string; name: string }[];
  };
  const services = ir.resources
    .filter(({ type }) => type === "Service")
    .map(({ name }) => name.split(".")[0]);
  expect(new Set(services)).toEqual(new Set(["details", "productpage", "ratings", "reviews"]));
});
