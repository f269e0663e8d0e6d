import { getCiphers } from "node:tls";
import { describe, expect, test } from "vitest";
import { tlsOptions } from "./tls-options.ts";

const authentications = ["ECDSA", "RSA"];
const suites = [
  "AES_128_CBC_SHA",
  "AES_256_CBC_SHA",
  "AES_128_GCM_SHA256",
  "AES_256_GCM_SHA384",
  "CHACHA20_POLY1305_SHA256",
].flatMap((suite) => authentications.map((kind) => `TLS_ECDHE_${kind}_WITH_${suite}`));

describe("tlsOptions", () => {
  test("has OpenSSL's name for each suite that Go calls safe", () => {
    const { ciphers = "" } = tlsOptions(suites, "1.2");
    const names = ciphers.split(":");
    expect(new Set(names).size).toBe(suites.length);
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

  test("names what it does not know", () => {
    expect(() => tlsOptions(["TLS_RSA_WITH_RC4_128_SHA"], "1.2")).toThrow(
      /"TLS_RSA_WITH_RC4_128_SHA" is not known; known are/,
    );
    expect(() => tlsOptions([], "1.1")).toThrow('TLS version "1.1" is not known; use 1.2 or 1.3');
  });
});
