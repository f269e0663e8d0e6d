import { getCiphers } from "node:tls";
import { describe, expect, test } from "vitest";
import { cipherList } from "./tls-options.ts";

describe("cipherList", () => {
  test("has a name of Node's for each suite that Go calls safe", () => {
    const kinds = [
      "AES_128_CBC_SHA",
      "AES_256_CBC_SHA",
      "AES_128_GCM_SHA256",
      "AES_256_GCM_SHA384",
      "CHACHA20_POLY1305_SHA256",
    ];
    const suites = kinds.flatMap((kind) => [`TLS_ECDHE_ECDSA_WITH_${kind}`, `TLS_ECDHE_RSA_WITH_${kind}`]);
    const names = cipherList(suites).split(":");
    expect(new Set(names).size).toBe(suites.length + 3);
    for (const name of names) expect(getCiphers()).toContain(name.toLowerCase());
  });

  test("is empty if none is named", () => {
    expect(cipherList([])).toBe("");
  });

  test("names those that are not known, although others are", () => {
    const suites = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_NONE", "ALL"];
    expect(() => cipherList(suites)).toThrow(/^cipher suites are not known: TLS_NONE, ALL; known are TLS_/);
  });
});
