// The program itself, with the ports of all ages open, under bad input of every kind: its memory stays bounded, it says
// what it refuses, others are served meanwhile, and afterwards nothing is kept.
import { request } from "node:http";
import { status } from "@grpc/grpc-js";
import { applierIdPrefix, applierServiceAccount } from "@keelson/model/names";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { attacks } from "../bad-input/attacks.ts";
import { clusterType, deltaAdsPath, GrpcCall, openSession } from "../bad-input/grpc-call.ts";
import { HonestUser } from "../bad-input/honest.ts";
import { grpcMessage } from "../bad-input/http2-frames.ts";
import {
  askAds,
  askCertificate,
  callOnce,
  createCertificatePath,
  nestedMetadata,
} from "../bad-input/requests.ts";
import { Victim } from "../bad-input/victim.ts";
import { memoryBound, repetitionBound, withstand } from "../bad-input/withstand.ts";
import { missingOpenssl, Openssl } from "../peers/openssl.ts";
import { peerRunFolder } from "../peers/peer-process.ts";
import { TokenIssuer } from "../peers/token-issuer.ts";

const mebibyte = 1024 * 1024;
/** Lines of the log that bad input may lead to within the time of one attack. */
const linesOfAttack = 200;

let victim: Victim;
let user: HonestUser;

beforeEach((context) => {
  const reason = missingOpenssl();
  context.skip(reason !== undefined, reason);
});

beforeAll(async () => {
  if (missingOpenssl() !== undefined) return;
  victim = await Victim.start();
  const openssl = await Openssl.in(await peerRunFolder("openssl"));
  await openssl.request("honest");
  const csr = await openssl.read("honest.csr");
  user = new HonestUser({
    ports: victim.ports,
    root: await victim.root(),
    token: victim.issuer.token(),
    csr,
  });
});

afterAll(async () => {
  await user?.stop();
  await victim?.stop();
});

describe("others are served, memory is bounded, and all is freed:", () => {
  for (const attack of attacks({ connections: 100, halfOpen: 4_000, frames: 20_000, deaf: 20, changes: 2 })) {
    test(attack.title, async () => {
      const first = await withstand(victim, user, attack);
      const second = await withstand(victim, user, attack);
      expect([...first.notServed, ...second.notServed]).toEqual([]);
      expect(Math.max(first.peak, second.peak)).toBeLessThan(memoryBound);
      expect(second.peak - first.peak).toBeLessThan(repetitionBound);
      expect(first.lines.join("\n")).toContain(attack.said ?? "");
      expect(first.lines.length).toBeLessThan(linesOfAttack);
    });
  }
});

describe("a request of 100 MiB", () => {
  const huge = Buffer.alloc(100 * mebibyte, "x");

  test("over xDS is refused with the limit", async () => {
    victim.takePeak();
    const ending = await callOnce(victim, { path: deltaAdsPath }, (call) => call.sendRaw(grpcMessage(huge)));
    expect(ending).toEqual({
      code: status.RESOURCE_EXHAUSTED,
      message: "Received message larger than max (104857600 vs 16777216)",
    });
    expect(victim.takePeak()).toBeLessThan(memoryBound);
  });

  test("for a certificate is refused with the limit", async () => {
    const token = victim.issuer.token();
    const ending = await callOnce(victim, { path: createCertificatePath, token }, (call) =>
      call.sendRaw(grpcMessage(huge)),
    );
    expect(ending.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(ending.message).toMatch(/^Received message larger than max/);
  });

  test.for(["/ready", "/debug/syncz", "/v1/registration"])("to %s is not read", async (path) => {
    victim.takePeak();
    const before = victim.rss();
    const answer = await new Promise<number | string | undefined>((resolve) => {
      const headers = { "content-type": "application/json" };
      const options = { host: "127.0.0.1", port: victim.ports.http, method: "POST", path, headers };
      const call = request(options, (response) => resolve(response.resume().statusCode));
      call.on("error", ({ message }) => resolve(message));
      call.end(huge);
    });
    expect([404, 405, 413, "read ECONNRESET", "write EPIPE", "write ECONNRESET"]).toContain(answer);
    expect(victim.takePeak() - before).toBeLessThan(50);
  });
});

describe("a token that is", () => {
  const bad: readonly (readonly [string, () => string, string])[] = [
    ["forged", () => new TokenIssuer().token(), "JWT: signature verification failed"],
    [
      "not signed",
      () => victim.issuer.unsigned(),
      'JWT: "alg" (Algorithm) Header Parameter value not allowed',
    ],
    ["expired", () => victim.issuer.token({ expiresIn: -600 }), 'JWT: "exp" claim timestamp check failed'],
    ["for others", () => victim.issuer.token({ audience: "vault" }), 'JWT: unexpected "aud" claim value'],
    ["no token", () => "abc", "JWT: Invalid Compact JWS"],
  ];
  for (const [what, make, reason] of bad) {
    test(`${what}: nobody is let in with it, the reason is told, and the token is not`, async () => {
      const token = make();
      expect(await askAds(victim, {}, token)).toEqual({ code: status.UNAUTHENTICATED, message: reason });
      expect(await askCertificate(victim, "", token)).toEqual({
        code: status.UNAUTHENTICATED,
        message: `request authenticate failure: ${reason}`,
      });
      const log = (await victim.log()).join("\n");
      for (const part of token.split(".").filter((each) => each.length > 3)) expect(log).not.toContain(part);
    });
  }

  test("forged 500 times at once is said a few times, and then how often more", async () => {
    const logged = (await victim.log()).length;
    const session = openSession(victim.ports.secureGrpc, true);
    const headers = { authorization: `Bearer ${new TokenIssuer().token()}` };
    const calls = Array.from({ length: 500 }, () => new GrpcCall(session, deltaAdsPath, headers));
    for (const call of calls) call.request({ node: {}, typeUrl: clusterType });
    for (const { code } of await Promise.all(calls.map(({ ended }) => ended)))
      expect(code).toBe(status.UNAUTHENTICATED);
    session.destroy();
    const lines = (await victim.log()).slice(logged).filter((line) => line.includes("not authenticated"));
    expect(lines.length).toBeLessThan(linesOfAttack);
  });
});

describe("a node that claims to be another", () => {
  const applier = (node: string) => ({ id: `${applierIdPrefix}${node}`, metadata: { NODE_NAME: node } });

  test("an Envoy of another namespace than its token's", async () => {
    const node = { id: "sidecar~10.1.1.1~a.other~other.svc.cluster.local", metadata: { NAMESPACE: "other" } };
    expect(await askAds(victim, node, victim.issuer.token())).toEqual({
      code: status.PERMISSION_DENIED,
      message: 'the node claims the namespace "other"; its caller is default/default',
    });
  });

  test("a workload that asks for a node's state", async () => {
    const { code, message } = await askAds(victim, applier("node-1"), victim.issuer.token());
    expect(code).toBe(status.PERMISSION_DENIED);
    expect(message).toMatch(/^default\/default may not act for a node/);
  });

  test("an applier that asks for another node's state", async () => {
    const token = victim.issuer.token({
      namespace: "istio-system",
      serviceAccount: applierServiceAccount,
      node: "node-2",
    });
    expect(await askAds(victim, applier("node-1"), token)).toEqual({
      code: status.PERMISSION_DENIED,
      message: 'the node claims to be on "node-1"; its token was issued for node-2',
    });
  });
});

describe("a request that is too much:", () => {
  const sidecar = "sidecar~10.1.1.1~a.default~default.svc.cluster.local";
  const ask = (send: Parameters<typeof callOnce>[2]) => callOnce(victim, { path: deltaAdsPath }, send);

  test("names without end", async () => {
    const names = Array.from({ length: 200_001 }, (_, index) => `name-${index}`);
    const ending = await ask((call) => {
      call.request({ node: { id: sidecar }, typeUrl: clusterType, resourceNamesSubscribe: names });
    });
    expect(ending).toEqual({
      code: status.RESOURCE_EXHAUSTED,
      message: `names of ${clusterType}: 200001 is over the limit of 200000`,
    });
  });

  test("a very long name", async () => {
    const names = ["x".repeat(mebibyte)];
    const ending = await ask((call) => call.request({ typeUrl: clusterType, resourceNamesSubscribe: names }));
    expect(ending.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(ending.message).toContain("1048576 is over the limit of 4096");
  });

  test("metadata of 5 MiB", async () => {
    const node = { id: "n", metadata: { NAMESPACE: "x".repeat(5 * mebibyte) } };
    const ending = await ask((call) => call.request({ node, typeUrl: clusterType }));
    expect(ending.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(ending.message).toMatch(/^bytes of the node's metadata: \d+ is over the limit of 65536$/);
  });

  test.for([100, 2_000])("metadata that is nested %i deep", async (depth) => {
    const ending = await ask((call) => {
      call.send(nestedMetadata(depth));
      call.end();
    });
    expect(ending).toEqual({
      code: status.INVALID_ARGUMENT,
      message: expect.stringMatching(/^\d+ bytes are no DeltaDiscoveryRequest: .* maximum recursion depth/),
    });
  });

  test("compressed", async () => {
    const headers = { "grpc-encoding": "gzip" };
    expect(await callOnce(victim, { path: deltaAdsPath, headers }, (call) => call.end())).toEqual({
      code: status.UNIMPLEMENTED,
      message: "messages in the encoding gzip are not read; send them as they are",
    });
  });
});
