import { createPublicKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeCsr } from "../testing/test-certificates.ts";
import { CertificateAuthority } from "./certificate-authority.ts";
import { FileRootStore } from "./file-root-store.ts";
import type { StoredRoot } from "./root-store.ts";
import { defaultRootOptions, SelfMadeRoot, type SelfMadeRootOptions } from "./self-made-root.ts";
import { X509Certificate as ParsedCertificate } from "./x509.ts";

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "keelson-"));
  path = join(directory, "state", "ca-root.json");
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const rootWith = (options: Partial<SelfMadeRootOptions> = {}): SelfMadeRoot =>
  new SelfMadeRoot({
    store: new FileRootStore(path),
    trustDomain: "cluster.local",
    ...defaultRootOptions,
    ...options,
  });

const kept = (): StoredRoot => JSON.parse(readFileSync(path, "utf8")) as StoredRoot;

describe("a self-made root", () => {
  test("is RSA of 2048 bits for 10 years, of the trust domain's organization", async () => {
    const { certificate, chain, roots } = await rootWith().current();
    expect(certificate.subject).toBe("O=cluster.local");
    expect(certificate.publicKey.algorithm).toMatchObject({ name: "RSASSA-PKCS1-v1_5", modulusLength: 2048 });
    expect(certificate.notAfter.getTime() - certificate.notBefore.getTime()).toBe(3650 * 24 * 3_600_000);
    expect(chain).toEqual([]);
    expect(new X509Certificate(roots).ca).toBe(true);
  });

  test("is the same after a restart, in a file for its owner alone, with nothing beside it", async () => {
    const first = await rootWith().current();
    expect((await rootWith().current()).roots).toBe(first.roots);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(directory, "state"))).toEqual(["ca-root.json"]);
    expect(kept()["ca-key.pem"]).toContain("BEGIN RSA PRIVATE KEY");
  });

  test("is one, although several are made at once", async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => rootWith().current()));
    expect(new Set(all.map(({ roots }) => roots)).size).toBe(1);
    expect(all[0]?.roots).toBe(kept()["ca-cert.pem"]);
  });

  test.each(["", "{", '{"ca-cert.pem": "x"}', '{"ca-cert.pem": "secret", "ca-key.pem": ""}'])(
    "is never made in the place of one that cannot be read: %j",
    async (text) => {
      await rootWith().current();
      writeFileSync(path, text);
      await expect(rootWith().current()).rejects.toThrow(
        /ca-root.json does not hold a root .* bring it back/,
      );
      expect(readFileSync(path, "utf8")).toBe(text);
    },
  );

  test("that does not fit its key is refused", async () => {
    await rootWith().current();
    const { "ca-cert.pem": certificate } = kept();
    rmSync(path);
    await rootWith().current();
    writeFileSync(path, JSON.stringify({ ...kept(), "ca-cert.pem": certificate }));
    await expect(rootWith().current()).rejects.toThrow("(ca-key.pem) is not the key of the certificate");
  });
});

describe("a root that is about to end", () => {
  const dayMs = 24 * 3_600_000;

  test("is left alone before its last part", async () => {
    const before = await rootWith({ lifetimeMs: dayMs }).current();
    expect((await rootWith({ gracePercent: 99 }).current()).roots).toBe(before.roots);
  });

  test("is renewed with its name and key, so that what it signed before still counts", async () => {
    const before = await rootWith({ trustDomain: "old.example", lifetimeMs: dayMs }).current();
    const [leaf = ""] = await new CertificateAuthority(before).sign(
      (await makeCsr()).pem,
      "spiffe://a/ns/b/sa/c",
      0,
    );
    const after = await rootWith({ trustDomain: "new.example", gracePercent: 100 }).current();
    expect(after.roots).not.toBe(before.roots);
    expect(after.certificate.subject).toBe("O=old.example");
    expect(after.certificate.notAfter.getTime()).toBeGreaterThan(
      before.certificate.notAfter.getTime() + dayMs,
    );
    expect(kept()["ca-cert.pem"]).toBe(after.roots);
    const renewed = new X509Certificate(after.roots);
    expect(renewed.publicKey.equals(createPublicKey(before.roots))).toBe(true);
    expect(new X509Certificate(leaf).checkIssued(renewed)).toBe(true);
    expect(new X509Certificate(leaf).verify(renewed.publicKey)).toBe(true);
    expect(keyIdentifier(after.roots)).toBe(keyIdentifier(before.roots));
  });

  test("is renewed even after its end", async () => {
    await rootWith({ lifetimeMs: -1_000 })
      .current()
      .catch(() => undefined);
    const ended = new X509Certificate(kept()["ca-cert.pem"]).validToDate;
    expect(ended.getTime()).toBeLessThan(Date.now());
    const { certificate } = await rootWith().current();
    expect(certificate.notAfter.getTime()).toBeGreaterThan(Date.now());
  });

  test("is another's, if that one was faster", async () => {
    const store = new FileRootStore(path);
    const first = (await rootWith().current()) && kept();
    const mine = { ...first, "ca-cert.pem": "mine" };
    expect(await store.replace(first, mine)).toEqual(mine);
    expect(await store.replace(first, { ...first, "ca-cert.pem": "too late" })).toEqual(mine);
    expect(kept()).toEqual(mine);
  });
});

const keyIdentifier = (pem: string): string =>
  String(new ParsedCertificate(pem).getExtension("2.5.29.14")?.toString("hex"));
