import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { makeCertificate, makeRoot, type TestCertificate } from "../testing/test-certificates.ts";
import { pluggedSigner, whyNotReplace } from "./plugged-root.ts";
import type { Signer } from "./signer.ts";
import { KeyUsageFlags } from "./x509.ts";

const directory = "/etc/cacerts";

let root: TestCertificate;
let between: TestCertificate;

beforeAll(async () => {
  root = await makeRoot("root");
  between = await makeRoot("between", { issuer: root });
});

interface Files {
  readonly [name: string]: string | undefined;
}

const istioFiles = (): Files => ({
  "ca-cert.pem": between.certificate,
  "ca-key.pem": between.key,
  "root-cert.pem": root.certificate,
  "cert-chain.pem": between.certificate,
});

function signerOf(files: Files): Promise<Signer | undefined> {
  const texts = Object.entries(files).flatMap(([name, text]) =>
    text === undefined ? [] : [[join(directory, name), text] as const],
  );
  return pluggedSigner(directory, new Map(texts));
}

describe("a root given as files", () => {
  test("of Istio's names", async () => {
    const signer = await signerOf(istioFiles());
    expect(signer).toMatchObject({ chain: [between.certificate], roots: root.certificate });
  });

  test("of the names of a Secret for TLS", async () => {
    const files = { "tls.crt": between.certificate, "tls.key": between.key, "ca.crt": root.certificate };
    const signer = await signerOf(files);
    // As Pilot has it: the root stands in the chain, too.
    expect(signer).toMatchObject({ chain: [between.certificate, root.certificate], roots: root.certificate });
  });

  test("is none if there are no files", async () => {
    expect(await signerOf({ "other.pem": root.certificate })).toBeUndefined();
  });

  test.each(["ca-cert.pem", "ca-key.pem", "root-cert.pem", "cert-chain.pem"])(
    "is incomplete without %s",
    async (name) => {
      const files = { ...istioFiles(), [name]: undefined };
      await expect(signerOf(files)).rejects.toThrow(
        new RegExp(`^the root in /etc/cacerts is incomplete: .* found, ${name} missing`),
      );
    },
  );

  test("is incomplete with tls.crt alone", async () => {
    await expect(signerOf({ "tls.crt": between.certificate })).rejects.toThrow("tls.key, ca.crt missing");
  });

  const wrong: [string, () => Promise<Files> | Files, string | RegExp][] = [
    [
      "a damaged certificate",
      () => ({ "ca-cert.pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----" }),
      /^\/etc\/cacerts\/ca-cert.pem: /,
    ],
    ["an empty root", () => ({ "root-cert.pem": "\n" }), "/etc/cacerts/root-cert.pem has no certificate"],
    [
      "a key that is none",
      () => ({ "ca-key.pem": "secret" }),
      /^\/etc\/cacerts\/ca-key.pem has no private key in PEM that is not encrypted$/,
    ],
    [
      "another one's key",
      () => ({ "ca-key.pem": root.key }),
      "/etc/cacerts/ca-key.pem is not the key of the certificate in /etc/cacerts/ca-cert.pem",
    ],
    [
      "another root",
      async () => ({ "root-cert.pem": (await makeRoot("root")).certificate }),
      "no valid path leads from the certificate in /etc/cacerts/ca-cert.pem to one in /etc/cacerts/root-cert.pem",
    ],
  ];

  test.each(wrong)("is refused with %s", async (_, change, message) => {
    await expect(signerOf({ ...istioFiles(), ...(await change()) })).rejects.toThrow(message);
  });

  const signedByRoot = async (options: Parameters<typeof makeCertificate>[0]): Promise<Files> => {
    const made = await makeCertificate({ subject: [{ O: ["made"] }], ca: true, issuer: root, ...options });
    return {
      ...istioFiles(),
      "ca-cert.pem": made.certificate,
      "ca-key.pem": made.key,
      "cert-chain.pem": made.certificate,
    };
  };

  test("is refused if it is no authority", async () => {
    await expect(signerOf(await signedByRoot({ ca: false }))).rejects.toThrow("may not sign others");
    const files = await signedByRoot({ usages: KeyUsageFlags.digitalSignature });
    await expect(signerOf(files)).rejects.toThrow("may not sign others");
  });

  test("is refused if it is not valid now", async () => {
    await expect(signerOf(await signedByRoot({ from: -2_000_000, to: -1_000_000 }))).rejects.toThrow(
      /is valid from .*, not now$/,
    );
    await expect(signerOf(await signedByRoot({ from: 1_000_000, to: 2_000_000 }))).rejects.toThrow(
      /is valid from .*, not now$/,
    );
  });

  test("is refused if a certificate on the path has ended", async () => {
    const ended = await makeRoot("ended", { issuer: root, from: -2_000_000, to: -1_000_000 });
    const lower = await makeRoot("lower", { issuer: ended });
    const files = {
      ...istioFiles(),
      "ca-cert.pem": lower.certificate,
      "ca-key.pem": lower.key,
      "cert-chain.pem": lower.certificate + ended.certificate,
    };
    await expect(signerOf(files)).rejects.toThrow("no valid path leads");
  });
});

describe("a changed root takes over", () => {
  const withRoots = async (roots: string): Promise<Signer> => {
    const signer = await signerOf({ ...istioFiles(), "root-cert.pem": roots });
    if (signer === undefined) throw new Error("no root");
    return signer;
  };

  test("at once if only the signing certificate differs", async () => {
    expect(
      whyNotReplace(await withRoots(root.certificate), await withRoots(root.certificate), false),
    ).toBeUndefined();
  });

  test("with other roots only where nodes are told of them, and then by steps", async () => {
    const other = await makeRoot("other");
    const one = await withRoots(root.certificate);
    const both = await withRoots(root.certificate + other.certificate);
    const third = await withRoots(root.certificate + (await makeRoot("third")).certificate);
    expect(whyNotReplace(one, both, false)).toMatch("ISTIO_MULTIROOT_MESH is not set");
    expect(whyNotReplace(one, both, true)).toBeUndefined();
    expect(whyNotReplace(both, one, true)).toBeUndefined();
    expect(whyNotReplace(both, third, true)).toMatch("add the new root first");
  });
});
