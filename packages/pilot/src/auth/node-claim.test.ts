import { describe, expect, test } from "vitest";
import type { Caller } from "./authenticator.ts";
import { authorizeNode, type NodeRules, nodeClaim } from "./node-claim.ts";

const rules: NodeRules = { identityCheck: true, nodeAccounts: new Set(["istio-system/bpf-applier"]) };

const caller = (namespace: string, serviceAccount: string, node?: string): Caller => ({
  identity: { trustDomain: "cluster.local", namespace, serviceAccount },
  source: "JWT",
  ...(node === undefined ? {} : { node }),
});

const sidecar = (metadata: Record<string, unknown> = {}, domain = "default.svc.cluster.local") =>
  nodeClaim({ id: `sidecar~10.0.0.1~reviews-1.default~${domain}`, metadata });

const applier = (node: string, metadata: Record<string, unknown> = { NODE_NAME: node }) =>
  nodeClaim({ id: `bpf-applier~${node}`, metadata });

describe("what a node claims", () => {
  test("is its metadata's, and the namespace that its domain begins with", () => {
    expect(sidecar({ SERVICE_ACCOUNT: "reviews", NODE_NAME: "node-1" })).toMatchObject({
      namespace: "default",
      serviceAccount: "reviews",
      nodeName: "node-1",
    });
    expect(sidecar({ NAMESPACE: "other" }).namespace).toBe("other");
    expect(nodeClaim({ id: "plain" })).toEqual({
      id: "plain",
      namespace: "",
      serviceAccount: "",
      nodeName: "",
    });
    expect(applier("node-1").namespace).toBe("");
  });

  test("is nothing where metadata holds something else than text", () => {
    expect(sidecar({ NAMESPACE: 1, SERVICE_ACCOUNT: ["a"], NODE_NAME: {} }, "")).toMatchObject({
      namespace: "",
      serviceAccount: "",
      nodeName: "",
    });
  });
});

describe("a workload", () => {
  test("is what its caller is", () => {
    const claims = [
      sidecar(),
      sidecar({ SERVICE_ACCOUNT: "reviews" }),
      sidecar({ NAMESPACE: "default" }, "x.y"),
    ];
    for (const claim of claims) {
      expect(authorizeNode(caller("default", "reviews"), claim, rules)).toEqual({
        allowed: true,
        nodeName: "",
      });
    }
  });

  test.each([
    [
      "namespace in its domain",
      sidecar(),
      caller("other", "reviews"),
      'claims the namespace "default"; its caller is other/reviews',
    ],
    [
      "namespace",
      sidecar({ NAMESPACE: "istio-system" }),
      caller("default", "reviews"),
      'claims the namespace "istio-system"',
    ],
    [
      "service account",
      sidecar({ SERVICE_ACCOUNT: "admin" }),
      caller("default", "reviews"),
      'claims the service account "admin"; its caller is default/reviews',
    ],
  ])("is refused with another's %s", (_, claim, who, reason) => {
    const verdict = authorizeNode(who, claim, rules);
    expect(verdict).toMatchObject({ allowed: false, reason: expect.stringContaining(reason) });
  });

  test("is believed where the check is off", () => {
    const verdict = authorizeNode(caller("other", "admin"), sidecar(), { ...rules, identityCheck: false });
    expect(verdict).toEqual({ allowed: true, nodeName: "" });
  });

  test("sees nothing of a node, whatever node it names", () => {
    const claim = sidecar({ NODE_NAME: "node-1" });
    for (const who of [caller("default", "reviews"), caller("default", "reviews", "node-1")]) {
      expect(authorizeNode(who, claim, rules)).toEqual({ allowed: true, nodeName: "" });
    }
  });
});

describe("an applier", () => {
  const account = (node?: string): Caller => caller("istio-system", "bpf-applier", node);

  test("sees the node that its token is bound to", () => {
    expect(authorizeNode(account("node-1"), applier("node-1"), rules)).toEqual({
      allowed: true,
      nodeName: "node-1",
    });
  });

  test.each([
    [
      "another node",
      account("node-1"),
      applier("node-2"),
      'claims to be on "node-2"; its token was issued for node-1',
    ],
    [
      "another node in metadata than in its id",
      account("node-1"),
      applier("node-1", { NODE_NAME: "node-2" }),
      "issued for node-1",
    ],
    ["a node that its token is not bound to", account(), applier("node-1"), "not bound to a Kubernetes node"],
    ["no node", account("node-1"), applier("node-1", {}), "no NODE_NAME"],
    [
      "a node that a workload runs on",
      caller("default", "reviews", "node-1"),
      applier("node-1"),
      "default/reviews may not act for a node; those that may: istio-system/bpf-applier",
    ],
    [
      "the node of an applier in another namespace",
      caller("default", "bpf-applier", "node-1"),
      applier("node-1"),
      "default/bpf-applier may not act",
    ],
  ])("is refused for %s", (_, who, claim, reason) => {
    for (const identityCheck of [true, false]) {
      const verdict = authorizeNode(who, claim, { ...rules, identityCheck });
      expect(verdict).toMatchObject({ allowed: false, reason: expect.stringContaining(reason) });
    }
  });

  test("is believed on a port where nobody is asked", () => {
    expect(authorizeNode(undefined, applier("node-1"), rules)).toEqual({ allowed: true, nodeName: "node-1" });
  });

  test("quotes no more of a long claim than helps", () => {
    const verdict = authorizeNode(account("node-1"), applier("x".repeat(100_000)), rules);
    expect(JSON.stringify(verdict).length).toBeLessThan(500);
  });
});
