import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatIdentity, parseIdentity, parseServiceAccountUser, sanitizeTrustDomain } from "./identity.ts";

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);
const identity = fc.record({ trustDomain: label, namespace: label, serviceAccount: label });

describe("a SPIFFE id", () => {
  test("is read as it is written", () => {
    fc.assert(
      fc.property(identity, (value) => {
        expect(parseIdentity(formatIdentity(value))).toEqual(value);
      }),
    );
  });

  test.each([
    "",
    "spiffe://cluster.local/ns/default",
    "spiffe://cluster.local/ns/default/sa/",
    "spiffe://cluster.local/ns/default/sa/a/",
    "spiffe://cluster.local/ns/default/sa/a/b",
    "spiffe://cluster.local/ns/default/sa/a?x",
    "spiffe://cluster.local/ns/default/sa/a\n",
    "spiffe://cluster.local/ns/../sa/a",
    "spiffe://cluster.local/sa/a/ns/default",
    "SPIFFE://cluster.local/ns/default/sa/a",
    "spiffe:///ns/default/sa/a",
    "spiffe://cluster.local/ns/Default/sa/a",
    `spiffe://cluster.local/ns/default/sa/${"a".repeat(254)}`,
    "https://cluster.local/ns/default/sa/a",
  ])("is nothing else: %j", (text) => {
    expect(parseIdentity(text)).toBeUndefined();
  });

  test("is read from any text without failing, and then says the same text", () => {
    const piece = fc.constantFrom("spiffe://", "cluster.local", "/ns/", "/sa/", "a", "/", ".", "%2f", "\0");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        const text = pieces.join("");
        const found = parseIdentity(text);
        if (found !== undefined) expect(formatIdentity(found)).toBe(text);
      }),
    );
  });

  test("has . where its trust domain has @", () => {
    expect(sanitizeTrustDomain("project@example.com")).toBe("project.example.com");
  });
});

describe("a service account's user name", () => {
  test("has four parts", () => {
    const user = "system:serviceaccount:default:reviews";
    expect(parseServiceAccountUser(user)).toEqual({ namespace: "default", serviceAccount: "reviews" });
  });

  test.each([
    "",
    "reviews",
    "system:serviceaccount:default",
    "system:serviceaccount:default:",
    "system:serviceaccount:default:a:b",
    "system:serviceaccount:default:a:",
    "system:node:default:a",
    "system:serviceaccount:de/fault:a",
    "system:serviceaccount:default:A",
  ])("is nothing else: %j", (text) => {
    expect(parseServiceAccountUser(text)).toBeUndefined();
  });
});
