import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { ApiServer, loadKubeConfig } from "@keelson/sources";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { TestIssuer, type TokenOptions } from "../testing/test-issuer.ts";
import { TokenReviewAuthenticator } from "./token-review-authenticator.ts";

/** What the API server says, which a real one cannot be brought to say when a test wants it; the end-to-end tests ask a real one. */
interface World {
  readonly authenticator: TokenReviewAuthenticator;
  readonly asked: { readonly path: string; readonly body: unknown }[];
  answer: (path: string, response: ServerResponse) => void;
  now: number;
  readonly token: (options?: TokenOptions) => Promise<string>;
}

let world: World;

const review = (extra: Readonly<Record<string, string>> = {}, status: object = {}) => ({
  status: {
    authenticated: true,
    audiences: ["istio-ca"],
    user: {
      username: "system:serviceaccount:istio-system:bpf-applier",
      extra: Object.fromEntries(
        Object.entries(extra).map(([key, value]) => [`authentication.kubernetes.io/${key}`, [value]]),
      ),
    },
    ...status,
  },
});

const say =
  (body: object, status = 201) =>
  (_: string, response: ServerResponse): void =>
    void response.writeHead(status).end(JSON.stringify(body));

async function apiServerAt(server: string): Promise<ApiServer> {
  const folder = mkdtempSync(join(tmpdir(), "keelson-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "kubeconfig");
  const config = {
    clusters: [{ name: "a", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "a", user: { token: "secret" } }],
    contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
    "current-context": "a",
  };
  writeFileSync(file, JSON.stringify(config));
  return new ApiServer(await loadKubeConfig(file));
}

beforeEach(async () => {
  const asked: World["asked"] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { url: path = "" } = request;
    asked.push({ path, body: request.method === "POST" ? await json(request) : undefined });
    world.answer(path, response);
  };
  const server = createServer((request, response) => void take(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const issuer = await TestIssuer.create();
  const authenticator = new TokenReviewAuthenticator({
    api: await apiServerAt(`http://127.0.0.1:${port}`),
    audiences: ["istio-ca"],
    trustDomain: "cluster.local",
    nodeAccounts: new Set(["istio-system/bpf-applier"]),
    now: () => world.now,
  });
  const answer = say(review({ "node-name": "node-1" }));
  world = { authenticator, asked, answer, now: Date.now(), token: (options) => issuer.token(options) };
});

const caller = {
  identity: { trustDomain: "cluster.local", namespace: "istio-system", serviceAccount: "bpf-applier" },
  source: "TokenReview",
  node: "node-1",
};

test("asks for the audience, and remembers the answer for a minute", async () => {
  const token = await world.token();
  const callers = await Promise.all([1, 2, 3].map(() => world.authenticator.authenticate({ token })));
  expect(callers).toEqual([caller, caller, caller]);
  expect(world.asked).toEqual([
    {
      path: "/apis/authentication.k8s.io/v1/tokenreviews",
      body: {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenReview",
        spec: { token, audiences: ["istio-ca"] },
      },
    },
  ]);
  world.now += 59_000;
  await world.authenticator.authenticate({ token });
  expect(world.asked).toHaveLength(1);
  world.now += 2_000;
  await world.authenticator.authenticate({ token });
  expect(world.asked).toHaveLength(2);
});

test("while the API server does not answer, who is known goes on for an hour, and nobody else gets in", async () => {
  const token = await world.token({ expiresIn: 7_200 });
  await world.authenticator.authenticate({ token });
  world.answer = say({ message: "etcdserver: leader changed" }, 503);
  world.now += 3_599_000;
  expect(await world.authenticator.authenticate({ token })).toEqual(caller);
  const other = await world.token({ node: "other", expiresIn: 7_200 });
  await expect(world.authenticator.authenticate({ token: other })).rejects.toThrow(
    "the API server does not say whose token it is: 503: etcdserver: leader changed",
  );
  world.now += 2_000;
  await expect(world.authenticator.authenticate({ token })).rejects.toThrow("503: etcdserver");
});

test("no token counts beyond its end, and none that was taken back", async () => {
  const token = await world.token({ expiresIn: 30 });
  await world.authenticator.authenticate({ token });
  world.now += 31_000;
  await expect(world.authenticator.authenticate({ token })).rejects.toThrow(/^the token has ended at 2/);
  const taken = await world.token({ expiresIn: 3_600 });
  await world.authenticator.authenticate({ token: taken });
  world.now += 61_000;
  world.answer = say({
    status: { error: "[invalid bearer token, service account token has been invalidated]" },
  });
  const refusal = /^the API server refuses the token: \[invalid bearer token/;
  await expect(world.authenticator.authenticate({ token: taken })).rejects.toThrow(refusal);
  // Also not for the time in which it would have been believed without an answer.
  world.answer = say({}, 503);
  await expect(world.authenticator.authenticate({ token: taken })).rejects.toThrow("503");
});

test("refuses without asking what is no token of a service account's kind", async () => {
  const endless = await world.token({ expiresIn: undefined });
  for (const token of ["opaque", "a.b.c", endless])
    await expect(world.authenticator.authenticate({ token })).rejects.toThrow("no JWT that ends");
  expect(await world.authenticator.authenticate({})).toBeUndefined();
  expect(world.asked).toEqual([]);
});

test.each([
  ["for others", { audiences: ["other"] }, "the token is not for istio-ca"],
  ["where audiences are not looked at", { audiences: undefined }, "the token is not for istio-ca"],
  ["of a user", { user: { username: "admin" } }, 'the token is that of "admin", which is no service account'],
])("refuses a token %s", async (_, status, message) => {
  world.answer = say(review({}, status));
  await expect(world.authenticator.authenticate({ token: await world.token() })).rejects.toThrow(message);
});

const podList = (uid: string, spec: object) => ({ items: [{ metadata: { uid }, spec }] });

test.each([
  ["runs there", podList("1", { nodeName: "node-2", serviceAccountName: "bpf-applier" }), "node-2"],
  [
    "is another one of that name",
    podList("2", { nodeName: "node-2", serviceAccountName: "bpf-applier" }),
    undefined,
  ],
  ["has another account", podList("1", { nodeName: "node-2", serviceAccountName: "other" }), undefined],
  ["is gone", { items: [] }, undefined],
])("an older API server tells the token's pod; it %s", async (_, pods, node) => {
  world.answer = (path, response) =>
    say(path.includes("/pods?") ? pods : review({ "pod-name": "applier-x", "pod-uid": "1" }), 200)(
      path,
      response,
    );
  const found = await world.authenticator.authenticate({ token: await world.token() });
  expect(found?.node).toBe(node);
  expect(world.asked.map(({ path }) => path)).toContain(
    "/api/v1/namespaces/istio-system/pods?fieldSelector=metadata.name%3Dapplier-x",
  );
});

test("asks so many things at once, and lets so many wait", async () => {
  const held: ServerResponse[] = [];
  world.answer = (_, response) => void held.push(response);
  const tokens = await Promise.all(
    Array.from({ length: 20 }, (_, i) => world.token({ claims: { jti: `${i}` } })),
  );
  const answers = tokens.map((token) => world.authenticator.authenticate({ token }));
  await vi.waitUntil(() => held.length === 16);
  world.answer = say(review({ "node-name": "node-1" }));
  for (const response of held.splice(0)) world.answer("", response);
  expect(await Promise.all(answers)).toHaveLength(20);
  expect(world.asked).toHaveLength(20);
});
