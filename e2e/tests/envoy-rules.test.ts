// What rules say is what a real Envoy does with requests, in both variants of ADS.
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect } from "vitest";
import type { actionRoutes } from "../envoy/rules/action-routes.ts";
import { ask, backendOf, tally } from "../envoy/rules/ask.ts";
import { wishes } from "../envoy/rules/echo-backend.ts";
import { matchCases } from "../envoy/rules/match-cases.ts";
import { RulesWorld } from "../envoy/rules/rules-world.ts";
import { missingPeers } from "../peers/peer-cache.ts";
import { peerTest } from "../peers/peer-test.ts";
import { adsVariants } from "../peers/plain-envoy.ts";
import { assertShares } from "../scenarios/shares.ts";
import { count, type Tally } from "../world/tally.ts";
import { until } from "../world/until.ts";

/** Requests that a split is measured with. */
const requests = 500;

/** What a server says that speaks first. */
function line(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect({ host: "127.0.0.1", port });
    socket.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    socket.once("error", reject).once("end", () => resolve(text));
  });
}

describe.each(adsVariants)("over %s", (_, variant) => {
  let rules: RulesWorld;

  beforeAll(async () => {
    if ((await missingPeers("envoy")) === undefined) rules = await RulesWorld.start(variant);
  });
  afterAll(async () => {
    await rules?.[Symbol.asyncDispose]();
  });

  const envoyTest = (title: string, body: () => Promise<void>): void => peerTest(["envoy"], title, body);
  /** Asks what the route of this title is for. */
  const asked = (title: keyof typeof actionRoutes, question: Parameters<RulesWorld["ask"]>[0] = {}) =>
    rules.ask(question, title);

  for (const { title, match, takes, leaves } of matchCases)
    envoyTest(`a match by ${title} takes what it says: ${JSON.stringify(match)}`, async () => {
      for (const request of takes)
        expect([request, rules.routeOf(await rules.ask(request, title))]).toEqual([request, title]);
      for (const request of leaves)
        expect([request, rules.routeOf(await rules.ask(request, title))]).toEqual([request, "default"]);
    });

  envoyTest("weights split requests", async () => {
    const seen = await tally(rules.question({}, "weights"), requests, backendOf);
    assertShares(seen, { v1: 0.8, v2: 0.2 });
  });

  envoyTest("a subset is the pods with its labels", async () => {
    expect(await tally(rules.question({}, "subset"), 20, backendOf)).toEqual({ v3: 20 });
  });

  envoyTest("paths and authorities are rewritten", async () => {
    expect((await asked("rewrite of a prefix", { path: "/old/b" })).echo?.url).toBe("/new/b");
    expect((await asked("rewrite by regular expression", { path: "/users/12" })).echo?.url).toBe("/u/12");
    expect((await asked("rewrite of the authority")).echo?.headers.host).toBe("other.example.com");
  });

  envoyTest("redirects and direct responses come from the Envoy itself", async () => {
    const moved = await asked("redirect", { path: "/here" });
    expect([moved.status, moved.headers.location]).toEqual([302, "http://elsewhere.example.com/there"]);
    const direct = await asked("direct response");
    expect([direct.status, direct.body]).toEqual([418, "short and stout"]);
  });

  envoyTest("a timeout ends what takes longer, and nothing else", async () => {
    expect((await asked("timeout", { headers: { [wishes.wait]: "10000" } })).status).toBe(504);
    expect((await asked("timeout")).status).toBe(200);
  });

  envoyTest("a request is tried again as often as retries say", async () => {
    const failing = { headers: { [wishes.failFirst]: "2" } };
    expect((await asked("enough retries", failing)).status).toBe(200);
    expect(rules.backends.v1.seen["enough retries"]).toBe(3);
    expect((await asked("too few retries", failing)).status).toBe(503);
    expect(rules.backends.v1.seen["too few retries"]).toBe(2);
  });

  envoyTest("faults abort and delay", async () => {
    expect((await asked("abort")).status).toBe(418);
    expect(rules.backends.v1.seen["abort"]).toBeUndefined();
    const seen = await tally(rules.question({}, "abort of some"), requests, backendOf);
    assertShares(seen, { v1: 0.7, "status 503": 0.3 });
    const late = await asked("delay");
    // 0.3 s by the Envoy's clock, which ticks between ours.
    expect([late.status, late.ms >= 290]).toEqual([200, true]);
  });

  envoyTest("a mirror gets a copy of each request, and the caller no answer of it", async () => {
    expect(await tally(rules.question({}, "mirror"), 20, backendOf)).toEqual({ v1: 20 });
    const { v2 } = rules.backends;
    await until(() => v2.seen["mirror"] === 20, { what: "v2 to have all copies" });
    expect(v2.hosts["mirror"]).toMatch(/^reviews-shadow/);
  });

  envoyTest("headers are set, added and removed, of requests and of answers", async () => {
    const { echo, headers } = await asked("headers", {
      headers: { "x-set": "old", "x-added": "one", "x-removed": "gone" },
    });
    expect(echo?.headers).toMatchObject({ "x-set": "new", "x-added": "one, more" });
    expect(echo?.headers["x-removed"]).toBeUndefined();
    expect([headers["x-answered"], headers["x-backend"]]).toEqual(["yes", undefined]);
  });

  envoyTest("a preflight of an origin that may call is answered by the Envoy", async () => {
    const headers = { origin: "https://example.com", "access-control-request-method": "GET" };
    const { status, headers: answered } = await asked("cors", { method: "OPTIONS", headers });
    expect([status, answered]).toEqual([
      200,
      expect.objectContaining({
        "access-control-allow-origin": "https://example.com",
        "access-control-allow-methods": "GET",
        "access-control-max-age": "60",
      }),
    ]);
    expect(rules.backends.v1.seen["cors"]).toBeUndefined();
  });

  envoyTest("a consistent hash keeps a caller with one pod, and callers apart", async () => {
    const podsOf = async (user: string) => {
      const headers = { host: "hashed", "x-user": user };
      return Object.keys(await tally(rules.question({ headers }), 8, backendOf));
    };
    const users = Array.from(Array(20).keys(), (i) => `user-${i}`);
    const pods = await Promise.all(users.map(podsOf));
    expect(pods.map((each) => each.length)).toEqual(pods.map(() => 1));
    expect(new Set(pods.flat()).size).toBe(3);
  });

  envoyTest("a pool refuses what is more than it may hold", async () => {
    const headers = { host: "narrow", [wishes.wait]: "300" };
    const answers = await Promise.all(Array.from({ length: 12 }, () => rules.ask({ headers })));
    const statuses = new Set(answers.map(({ status }) => status));
    expect(statuses).toEqual(new Set([200, 503]));
  });

  envoyTest("a pod that fails is left alone", async () => {
    const asks = (more: Record<string, string>) =>
      rules.ask({ headers: { host: "careful", ...more } }, "careful");
    const failed = await asks({ [wishes.failFirst]: "1" });
    expect(failed.status).toBe(503);
    const left = ["v1", "v2", "v3"].filter((name) => name !== failed.echo?.backend);
    await until(
      async () => {
        const seen = await tally(rules.question({ headers: { host: "careful" } }), 30, backendOf);
        return Object.keys(seen).sort().join() === left.join();
      },
      { what: `${left.join(" and ")} alone to answer` },
    );
  });

  envoyTest("weights split connections of a TCP port", async () => {
    const seen: Tally = {};
    for (let i = 0; i < requests; i += 1) count(seen, await line(rules.ports.tcp));
    assertShares(seen, { a: 0.75, b: 0.25 });
  });

  envoyTest("hosts outside the mesh are reached by address and by name", async () => {
    for (const host of ["by-address.example.com", "by-name.example.com"]) {
      const { echo } = await ask({ port: rules.ports.outside, headers: { host } });
      expect([host, echo?.backend, echo?.headers.host]).toEqual([host, "outside", host]);
    }
  });

  envoyTest("the Envoy has refused nothing, and warned of nothing", async () => {
    expect(await rules.world.rejections()).toEqual({});
    expect(await rules.world.statistics("deprecated_feature")).toMatchObject({
      "runtime.deprecated_feature_use": 0,
    });
  });
});
