import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { makeCsr, makeKeys, makeRoot, type TestCertificate } from "../testing/test-certificates.ts";
import { CertificateAuthority } from "./certificate-authority.ts";
import { parseSigner, type Signer } from "./signer.ts";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  type JsonNameParams,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509Certificate as ParsedCertificate,
  SubjectAlternativeNameExtension,
} from "./x509.ts";

const reviews = "spiffe://cluster.local/ns/default/sa/reviews";
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

function signerOf(
  root: TestCertificate,
  chain: readonly string[] = [],
  roots = root.certificate,
): Promise<Signer> {
  return parseSigner({
    certificate: { name: "certificate", pem: root.certificate },
    key: { name: "key", pem: root.key },
    chain: chain.map((pem) => ({ name: "chain", pem })),
    roots: { name: "roots", pem: roots },
  });
}

const authorityOf = async (root: TestCertificate): Promise<CertificateAuthority> =>
  new CertificateAuthority(await signerOf(root));

describe("a signed certificate", () => {
  test("is for servers and clients, no authority, and named by its identity alone", async () => {
    const authority = await authorityOf(await makeRoot());
    const [pem = ""] = await authority.sign(
      (await makeCsr({ subject: [{ O: ["x"] }] })).pem,
      reviews,
      hourMs,
    );
    const leaf = new ParsedCertificate(pem);
    expect(leaf.subject).toBe("");
    const names = leaf.getExtension(SubjectAlternativeNameExtension);
    expect(names?.critical).toBe(true);
    expect(names?.names.toJSON()).toEqual([{ type: "url", value: reviews }]);
    expect(leaf.getExtension(KeyUsagesExtension)?.usages).toBe(
      KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment,
    );
    expect(leaf.getExtension(ExtendedKeyUsageExtension)?.usages).toEqual([
      "1.3.6.1.5.5.7.3.1",
      "1.3.6.1.5.5.7.3.2",
    ]);
    expect(leaf.getExtension(BasicConstraintsExtension)).toMatchObject({ ca: false, critical: true });
  });

  test("has its identity as common name, too, if its request has any", async () => {
    const authority = await authorityOf(await makeRoot());
    const csr = (await makeCsr({ subject: [{ CN: ["admin"] }] })).pem;
    const subject = async (spiffeId: string): Promise<string> =>
      new ParsedCertificate((await authority.sign(csr, spiffeId, hourMs))[0] ?? "").subject;
    expect(await subject(reviews)).toBe(`CN=${reviews}`);
    // X.520 allows 64 characters.
    expect(await subject(`${reviews}-${"x".repeat(64)}`)).toBe("");
  });

  test("does not get the names that its request asks for", async () => {
    const authority = await authorityOf(await makeRoot());
    const other = { type: "url", value: "spiffe://cluster.local/ns/istio-system/sa/istiod" } as const;
    const { pem } = await makeCsr({ names: [other, { type: "dns", value: "istiod.istio-system.svc" }] });
    const [leaf = ""] = await authority.sign(pem, reviews, hourMs);
    expect(new X509Certificate(leaf).subjectAltName).toBe(`URI:${reviews}`);
  });

  test("names its issuer byte by byte as the issuer does, in any script", async () => {
    const subject: JsonNameParams = [
      { O: [{ printableString: "plain" }] },
      { OU: [{ utf8String: "größer" }, { ia5String: "two" }] },
    ];
    const root = await makeRoot("", { subject });
    const [leaf = ""] = await (await authorityOf(root)).sign((await makeCsr()).pem, reviews, hourMs);
    const [issuer, name] = [
      new ParsedCertificate(leaf).issuerName,
      new ParsedCertificate(root.certificate).subjectName,
    ];
    expect(Buffer.from(issuer.toArrayBuffer())).toEqual(Buffer.from(name.toArrayBuffer()));
    expect(
      Buffer.from(new ParsedCertificate(root.certificate).rawData).includes(
        Buffer.from(name.toArrayBuffer()),
      ),
    ).toBe(true);
  });

  test("is signed by keys of every kind that an authority may have", async () => {
    for (const namedCurve of ["P-256", "P-384", "P-521"]) {
      const root = await makeRoot("x", { keys: await makeKeys({ name: "ECDSA", namedCurve }) });
      const [leaf = ""] = await (await authorityOf(root)).sign((await makeCsr()).pem, reviews, hourMs);
      expect(new X509Certificate(leaf).verify(new X509Certificate(root.certificate).publicKey)).toBe(true);
    }
  });

  test("comes with those between it and the root, one by one, and all roots in one text", async () => {
    const [root, oldRoot] = [await makeRoot("root"), await makeRoot("old root")];
    const upper = await makeRoot("upper", { issuer: root });
    const lower = await makeRoot("lower", { issuer: upper });
    const roots = root.certificate + oldRoot.certificate;
    const signer = await signerOf(lower, [lower.certificate + upper.certificate], roots);
    const [leaf = "", ...rest] = await new CertificateAuthority(signer).sign(
      (await makeCsr()).pem,
      reviews,
      hourMs,
    );
    expect(new X509Certificate(leaf).checkIssued(new X509Certificate(lower.certificate))).toBe(true);
    expect(rest).toEqual([lower.certificate, upper.certificate, roots]);
    expect(leaf.endsWith("-----END CERTIFICATE-----\n")).toBe(true);
  });
});

describe("its lifetime", () => {
  const lifetimeOf = async (authority: CertificateAuthority, askedMs: number): Promise<number> => {
    const before = Date.now();
    const [pem = ""] = await authority.sign((await makeCsr()).pem, reviews, askedMs);
    const { validFromDate, validToDate } = new X509Certificate(pem);
    // It counts from 2 minutes ago; whole seconds are written.
    expect(Math.abs(validFromDate.getTime() - (before - 120_000))).toBeLessThan(30_000);
    return validToDate.getTime() - before;
  };
  const about = (ms: number): unknown => expect.toSatisfy((found: number) => Math.abs(found - ms) < 30_000);

  test.each([
    [hourMs, hourMs],
    [0, dayMs],
    [-hourMs, dayMs],
    [90 * dayMs, 90 * dayMs],
  ])("of %d ms asked for is %d ms", async (asked, given) => {
    expect(await lifetimeOf(await authorityOf(await makeRoot()), asked)).toEqual(about(given));
  });

  test("over the maximum is refused", async () => {
    const signed = (await authorityOf(await makeRoot())).sign((await makeCsr()).pem, reviews, 90 * dayMs + 1);
    await expect(signed).rejects.toMatchObject({ kind: "TTL_ERROR" });
  });

  test("never goes beyond the signer's end", async () => {
    const root = await makeRoot("ending", { to: 10 * 60_000 });
    const authority = await authorityOf(root);
    const [pem = ""] = await authority.sign((await makeCsr()).pem, reviews, hourMs);
    expect(new X509Certificate(pem).validTo).toBe(new X509Certificate(root.certificate).validTo);
  });

  test("is none after the signer's end", async () => {
    const signer = await signerOf(await makeRoot());
    const ended = new ParsedCertificate((await makeRoot("ended", { to: -1_000 })).certificate);
    const authority = new CertificateAuthority({ ...signer, certificate: ended });
    await expect(authority.sign((await makeCsr()).pem, reviews, hourMs)).rejects.toMatchObject({
      kind: "CERT_GEN_ERROR",
      message: expect.stringMatching(/the signing certificate ended at/),
    });
  });
});
