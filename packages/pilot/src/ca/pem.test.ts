import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePem, toPem } from "./pem.ts";

const label = fc.constantFrom("CERTIFICATE", "RSA PRIVATE KEY", "CERTIFICATE REQUEST", "X");
const der = fc.uint8Array({ minLength: 1, maxLength: 300 });

describe("parsePem", () => {
  test("reads what toPem writes, between and after other text", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ label, der }), { maxLength: 4 }),
        fc.constantFrom("", "\n", "subject=/CN=x\n", "\r\n"),
        (blocks, between) => {
          const text = blocks.map((block) => between + toPem(block.label, block.der)).join("") + between;
          expect(parsePem(text)).toEqual(
            blocks.map((block) => ({ label: block.label, der: Buffer.from(block.der) })),
          );
        },
      ),
    );
  });

  test("takes Windows' line ends and lines of any length", () => {
    const text = toPem("CERTIFICATE", Buffer.from("hello, world"));
    expect(parsePem(text.replaceAll("\n", "\r\n"))).toEqual(parsePem(text));
  });

  test.each([
    ["-----BEGIN CERTIFICATE-----\nAAAA\n", /PEM block 1 \(CERTIFICATE\) has no "-----END CERTIFICATE-----"/],
    ["-----BEGIN CERTIFICATE", /PEM block 1 has no end of its first line/],
    ["-----BEGIN certificate-----\nAAAA\n-----END certificate-----", /PEM block 1 has a first line/],
    ["-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----", /PEM block 1 \(CERTIFICATE\) is not base64/],
    [
      "-----BEGIN CERTIFICATE-----\nA!AA\n-----END CERTIFICATE-----",
      /PEM block 1 \(CERTIFICATE\) is not base64/,
    ],
  ])("says what is wrong with %j", (text, message) => {
    expect(() => parsePem(text)).toThrow(message);
  });

  test("never fails in another way, and never quotes what it read", () => {
    const dashes = fc.constantFrom(
      "-----BEGIN ",
      "-----END ",
      "-----",
      "CERTIFICATE",
      "secret",
      "\n",
      "=",
      " ",
      "AAAA",
    );
    fc.assert(
      fc.property(fc.array(dashes, { maxLength: 40 }), (parts) => {
        try {
          parsePem(parts.join(""));
        } catch (error) {
          expect((error as Error).message).toMatch(/^PEM block \d+ /);
          expect((error as Error).message).not.toContain("secret");
        }
      }),
    );
  });
});
