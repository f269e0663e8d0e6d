import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeCsr, makeKeys, makeRoot } from "../testing/test-certificates.ts";
import { CaError } from "./ca-error.ts";
import { parseCsr } from "./csr.ts";
import { toPem } from "./pem.ts";

const hex = (bytes: ArrayBuffer): string => Buffer.from(bytes).toString("hex");
const asPem = (der: Uint8Array): string => toPem("CERTIFICATE REQUEST", der);
const rsa = (modulusLength: number): Parameters<typeof makeKeys>[0] => ({
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  modulusLength,
  publicExponent: new Uint8Array([1, 0, 1]),
});

describe("parseCsr takes", () => {
  test.each([
    ["P-256", { name: "ECDSA", namedCurve: "P-256" }, "SHA-256"],
    ["P-384", { name: "ECDSA", namedCurve: "P-384" }, "SHA-384"],
    ["P-521", { name: "ECDSA", namedCurve: "P-521" }, "SHA-512"],
    ["RSA of 2048 bits", rsa(2048), "SHA-256"],
  ] as const)("a key for %s", async (_, algorithm, hash) => {
    const { pem } = await makeCsr({ keys: await makeKeys(algorithm), hash });
    await expect(parseCsr(pem)).resolves.toMatchObject({ hasCommonName: false });
  });

  test("whether it has a common name", async () => {
    const { pem } = await makeCsr({ subject: [{ O: ["x"] }, { CN: ["reviews"] }] });
    expect((await parseCsr(pem)).hasCommonName).toBe(true);
  });

  test("the older label, and text around it", async () => {
    const { der } = await makeCsr();
    await expect(
      parseCsr(`Certificate Request:\n${toPem("NEW CERTIFICATE REQUEST", der)}`),
    ).resolves.toBeDefined();
  });
});

describe("parseCsr refuses", () => {
  const expectRefused = async (pem: string, message: RegExp): Promise<void> => {
    await expect(parseCsr(pem)).rejects.toMatchObject({
      kind: "CSR_ERROR",
      message: expect.stringMatching(message),
    });
  };

  test("another kind of PEM", async () => {
    await expectRefused(
      (await makeRoot()).certificate,
      /its PEM block is a CERTIFICATE; expected CERTIFICATE REQUEST/,
    );
  });

  test("a signature that another key has made", async () => {
    const [own, other] = [await makeCsr(), await makeCsr()];
    // Both are of the same shape, so that the other one's key may be put in the place of the own.
    const [ownKey, otherKey] = [await parseCsr(own.pem), await parseCsr(other.pem)];
    const swapped = own.der
      .toString("hex")
      .replace(hex(ownKey.publicKey.rawData), hex(otherKey.publicKey.rawData));
    await expectRefused(asPem(Buffer.from(swapped, "hex")), /its signature does not fit its key/);
  });

  test("an RSA key that is too short", async () => {
    const { pem } = await makeCsr({ keys: await makeKeys(rsa(1024)) });
    await expectRefused(pem, /its RSA key has 1024 bits; expected 2048 to 8192/);
  });

  test("a signature with SHA-1", async () => {
    const { pem } = await makeCsr({ hash: "SHA-1" });
    await expectRefused(pem, /made with SHA-1/);
  });

  test("DER that is nested as deep as it can be", async () => {
    await expectRefused(asPem(Buffer.alloc(40_000, "3080", "hex")), /cannot be decoded/);
  });

  test("any bytes and any text, in no other way", async () => {
    const anyBytes = fc.uint8Array({ minLength: 1, maxLength: 2_000 }).map(asPem);
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(anyBytes, fc.string(), fc.string({ unit: "binary", maxLength: 200 })),
        async (text) => {
          await expect(parseCsr(text)).rejects.toBeInstanceOf(CaError);
        },
      ),
    );
  });

  test("any request with changed bytes, unless its key is the same", async () => {
    const { der, pem } = await makeCsr({
      subject: [{ CN: ["a"] }],
      names: [{ type: "dns", value: "a.test" }],
    });
    const key = hex((await parseCsr(pem)).publicKey.rawData);
    const change = fc.record({ at: fc.nat(der.length - 1), to: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), fc.nat(20), async (changes, cut) => {
        const changed = Buffer.from(der);
        for (const { at, to } of changes) changed[at] = to;
        try {
          const { publicKey } = await parseCsr(asPem(changed.subarray(0, changed.length - cut)));
          expect(hex(publicKey.rawData)).toBe(key);
        } catch (error) {
          expect(error).toBeInstanceOf(CaError);
        }
      }),
      { numRuns: 300 },
    );
  });
});
