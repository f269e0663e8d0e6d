import { getCiphers } from "node:tls";
import { describe, expect, test } from "vitest";
import { tlsOptions } from "./tls-options.ts";

describe("tlsOptions", () => {
  test("has a name of Node's for each suite that Go calls safe", () => {
    const kinds = [
      "AES_128_CBC_SHA",
      "AES_256_CBC_SHA",
      "AES_128_GCM_SHA256",
      "AES_256_GCM_SHA384",
      "CHACHA20_POLY1305_SHA256",
    ];
    const suites = kinds.flatMap((kind) => [`TLS_ECDHE_ECDSA_WITH_${kind}`, `TLS_ECDHE_RSA_WITH_${kind}`]);
    const names = tlsOptions(suites, "1.2").ciphers?.split(":") ?? [];
    // With the three of TLS 1.3.
    expect(new Set(names).size).toBe(suites.length + 3);
    for (const name of names) expect(getCiphers()).toContain(name.toLowerCase());
  });

  test("leaves the suites to Node if none is named", () => {
    expect(tlsOptions([], "")).toEqual({ minVersion: "TLSv1.2" });
  });

  test.each([
    ["1.2", "TLSv1.2"],
    ["VersionTLS12", "TLSv1.2"],
    ["1.3", "TLSv1.3"],
    ["TLSv1_3", "TLSv1.3"],
  ])("knows version %s", (text, minVersion) => {
    expect(tlsOptions([], text)).toEqual({ minVersion });
  });

  test("names what it does not know, although others are known", () => {
    const suites = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_NONE", "ALL"];
    expect(() => tlsOptions(suites, "1.2")).toThrow(
      /^cipher suites are not known: TLS_NONE, ALL; known are TLS_/,
    );
    expect(() => tlsOptions([], "1.1")).toThrow('TLS version "1.1" is not known; use 1.2 or 1.3');
  });
});
