import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { ObservationLine } from "@keelson/model/observation";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { ReviewsWorld } from "../scenarios/reviews-world.ts";
import { KeepAliveCaller } from "../world/keep-alive-caller.ts";
import { missingForKernel } from "../world/requirements.ts";
import { applierProgram, cliProgram } from "../world/workspace.ts";

const missing = await missingForKernel();
const reason = missing.length === 0 ? undefined : missing.join("; ");

/** A program that observes, and what it has shown. */
class Observing {
  readonly requests: Record<string, unknown>[] = [];
  readonly child: ChildProcess;
  errors = "";

  constructor(program: string, ...args: readonly string[]) {
    this.child = spawn(process.execPath, [program, ...args, "-o", "json"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    onTestFinished(() => {
      this.child.kill("SIGKILL");
    });
    const { stdout, stderr } = this.child;
    if (stdout === null || stderr === null) throw new Error(`${program}: no output to be read`);
    createInterface({ input: stdout }).on("line", (text) => {
      const line = JSON.parse(text) as ObservationLine;
      if ("request" in line) this.requests.push(line.request as Record<string, unknown>);
    });
    stderr.on("data", (text: Buffer) => (this.errors += text.toString()));
  }

  /** Sends with `ask` until something is shown that `find` finds. */
  async shows(ask: () => Promise<unknown>, find: Record<string, unknown>): Promise<void> {
    const poll = expect.poll(
      async () => {
        await ask();
        if (this.child.exitCode !== null) throw new Error(`it ended: ${this.errors}`);
        return this.requests;
      },
      { timeout: 60_000 },
    );
    await poll.toContainEqual(expect.objectContaining(find));
  }
}

describe("[kernel] requests are observed", () => {
  let reviews: ReviewsWorld;
  let caller: KeepAliveCaller;

  beforeAll(async () => {
    if (reason !== undefined) return;
    const scale = { connections: 50, awayMs: 0, senders: 2 };
    reviews = await ReviewsWorld.open("observe", scale, { relay: "builtin", sockets: "switch" });
    caller = await KeepAliveCaller.start(reviews.caller);
  });
  afterAll(async () => {
    if (reason !== undefined) return;
    await caller[Symbol.asyncDispose]();
    await reviews.close();
  });

  const service = "reviews.default.svc.cluster.local";

  test("on the node and through the control plane: of the relay, of programs that switch, of native connections", async (context) => {
    context.skip(reason !== undefined, reason);
    const { node, place } = reviews.world.applier();
    const { url } = reviews.world.controlPlane;
    await reviews.httpRoutes({
      name: "canary",
      match: [{ uri: { prefix: "/v1" } }, { uri: { exact: "/sized" } }],
      route: [{ destination: { host: "reviews", subset: "v1" } }],
    });
    const here = new Observing(applierProgram, "--node", node, "observe", "--run-dir", place.runFolder, "-f");
    const all = new Observing(cliProgram, "observe", "--server", url, "-f");
    const failures = new Observing(
      cliProgram,
      "observe",
      "--server",
      url,
      "--node",
      node,
      "--status",
      "4xx",
      "-f",
    );
    const { host, port } = reviews.target("IPv4");
    // The first one on a connection is the relay's.
    const ask = (path: string) => (): Promise<unknown> =>
      caller.ask({ host, port, path, connection: `relayed-${performance.now()}` });
    const relayed = { source: "default/caller", service, port, method: "GET", carrier: "CARRIER_RELAY" };
    const found = {
      ...relayed,
      path: "/v1/x?y",
      status: 200,
      route: "canary",
      workload: "default/reviews-v1",
    };
    await here.shows(ask("/v1/x?y"), found);
    await all.shows(ask("/v1/x?y"), found);
    await failures.shows(ask("/none"), { ...relayed, path: "/none", status: 404 });
    expect(failures.requests.filter(({ status }) => status !== 404)).toEqual([]);

    const askAgain = (): Promise<unknown> => caller.ask({ host, port, path: "/sized", connection: "kept" });
    const switched = {
      source: "default/caller",
      service,
      port,
      status: 200,
      workload: "default/reviews-v1",
      carrier: "CARRIER_SWITCHED",
    };
    await here.shows(askAgain, switched);
    await all.shows(askAgain, switched);

    // One that programs took, and whose answer, in chunks, the relay carried: nobody has kept what was asked for.
    const isPassed = ({ carrier, method }: Record<string, unknown>): boolean =>
      carrier === "CARRIER_RELAY" && method === undefined;
    const poll = expect.poll(
      async () => {
        await caller.ask({ host, port, path: "/v1/y", connection: "kept" });
        return here.requests.find(isPassed);
      },
      { timeout: 60_000 },
    );
    await poll.toMatchObject({ status: 200, workload: "default/reviews-v1" });

    await reviews.withoutRules();
    const native = { source: "default/caller", service, port, carrier: "CARRIER_NATIVE" };
    const askAnew = (): Promise<unknown> =>
      caller.ask({ host, port, connection: `native-${performance.now()}` });
    await here.shows(askAnew, native);
    await all.shows(askAnew, native);
  });

  test("a node that is not there is said so, and a limit ends it", async (context) => {
    context.skip(reason !== undefined, reason);
    const { url } = reviews.world.controlPlane;
    const nowhere = new Observing(cliProgram, "observe", "--server", url, "--node", "nowhere");
    await expect.poll(() => nowhere.child.exitCode, { timeout: 60_000 }).toBe(1);
    expect(nowhere.errors).toContain("node nowhere is not connected to this control plane");
    const limited = new Observing(cliProgram, "observe", "--server", url, "--limit", "2", "-f");
    const { host, port } = reviews.target("IPv4");
    await expect
      .poll(
        async () => {
          await caller.ask({ host, port, connection: `limit-${performance.now()}` });
          return limited.child.exitCode;
        },
        { timeout: 60_000 },
      )
      .toBe(0);
    expect(limited.requests).toHaveLength(2);
  });
});
