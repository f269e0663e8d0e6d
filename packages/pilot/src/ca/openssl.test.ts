import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CertificateAuthority } from "./certificate-authority.ts";
import { FileRootStore } from "./file-root-store.ts";
import { pluggedFiles, pluggedSigner } from "./plugged-root.ts";
import { defaultRootOptions, SelfMadeRoot } from "./self-made-root.ts";
import { WatchedFiles } from "./watched-files.ts";

const reviews = "spiffe://cluster.local/ns/default/sa/reviews";
const missing = spawnSync("openssl", ["version"]).error !== undefined;

describe("OpenSSL", () => {
  beforeEach((context) => context.skip(missing, "there is no openssl here"));

  let directory: string;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "keelson-"));
  });

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const path = (name: string): string => join(directory, name);
  const openssl = (...parts: readonly string[]): string =>
    execFileSync("openssl", parts, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], cwd: directory });

  function csrWith(...keyOptions: readonly string[]): string {
    openssl(
      "req",
      "-new",
      "-nodes",
      "-keyout",
      "key.pem",
      "-out",
      "request.csr",
      "-subj",
      "/O=any/CN=any",
      ...keyOptions,
    );
    return readFileSync(path("request.csr"), "utf8");
  }

  /** @returns the certificate as OpenSSL prints it, once it has found a path to the roots. */
  function verified([leaf = "", ...rest]: readonly string[]): string {
    writeFileSync(path("leaf.pem"), leaf);
    writeFileSync(path("roots.pem"), rest.at(-1) ?? "");
    writeFileSync(path("between.pem"), rest.slice(0, -1).join(""));
    const between = rest.length > 1 ? ["-untrusted", "between.pem"] : [];
    const purposes = ["sslserver", "sslclient"];
    for (const purpose of purposes) {
      openssl("verify", "-x509_strict", "-purpose", purpose, "-CAfile", "roots.pem", ...between, "leaf.pem");
    }
    return openssl("x509", "-in", "leaf.pem", "-noout", "-text");
  }

  const keyKinds = [
    ["RSA of 2048 bits", ["-newkey", "rsa:2048"]],
    ["P-256", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]],
    ["P-384", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-sha384"]],
    ["Ed25519", ["-newkey", "ed25519"]],
  ] as const;

  test.each(keyKinds)(
    "makes requests with %s that are signed, and finds the path to a self-made root",
    async (_, options) => {
      const store = new FileRootStore(path("root.json"));
      const root = new SelfMadeRoot({ store, trustDomain: "cluster.local", ...defaultRootOptions });
      const authority = new CertificateAuthority(await root.current());
      const text = verified(await authority.sign(csrWith(...options), reviews, 3_600_000));
      expect(text).toMatch(new RegExp(`X509v3 Subject Alternative Name: critical\\s+URI:${reviews}\n`));
      expect(text).toContain("CA:FALSE");
      expect(text).toContain(`Subject: CN = ${reviews}`);
    },
  );

  test.each([
    ["RSA", ["-newkey", "rsa:2048"]],
    ["P-384", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"]],
  ])(
    "makes a root and an intermediate with %s that are taken as files, and finds the path",
    async (_, key) => {
      const constraints = [
        "-addext",
        "basicConstraints=critical,CA:TRUE",
        "-addext",
        "keyUsage=critical,keyCertSign",
      ];
      openssl(
        "req",
        "-x509",
        "-nodes",
        ...key,
        "-keyout",
        "root-key.pem",
        "-out",
        "root-cert.pem",
        "-subj",
        "/O=the root/CN=gro\u00dfe",
        "-utf8",
        ...constraints,
      );
      openssl(
        "req",
        "-new",
        "-nodes",
        ...key,
        "-keyout",
        "ca-key.pem",
        "-out",
        "ca.csr",
        "-subj",
        "/O=in between",
      );
      writeFileSync(
        path("extensions"),
        "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n",
      );
      openssl(
        "x509",
        "-req",
        "-in",
        "ca.csr",
        "-CA",
        "root-cert.pem",
        "-CAkey",
        "root-key.pem",
        "-CAcreateserial",
        "-extfile",
        "extensions",
        "-out",
        "ca-cert.pem",
      );
      const root = readFileSync(path("root-cert.pem"), "utf8");
      writeFileSync(path("cert-chain.pem"), readFileSync(path("ca-cert.pem"), "utf8"));
      const signer = await pluggedSigner(directory, await new WatchedFiles(pluggedFiles(directory)).read());
      if (signer === undefined) throw new Error("no root was found in the files");
      const chain = await new CertificateAuthority(signer).sign(csrWith("-newkey", "rsa:2048"), reviews, 0);
      expect(chain).toHaveLength(3);
      expect(chain[2]).toBe(root);
      expect(verified(chain)).toContain(`URI:${reviews}`);
    },
  );

  test("makes requests with SHA-1, which are refused", async () => {
    const store = new FileRootStore(path("root.json"));
    const root = new SelfMadeRoot({ store, trustDomain: "cluster.local", ...defaultRootOptions });
    const authority = new CertificateAuthority(await root.current());
    const signed = authority.sign(csrWith("-newkey", "rsa:2048", "-sha1"), reviews, 0);
    await expect(signed).rejects.toMatchObject({
      kind: "CSR_ERROR",
      message: expect.stringMatching(/SHA-1/),
    });
  });
});
