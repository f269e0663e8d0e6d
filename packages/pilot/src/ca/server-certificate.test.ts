import { X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { makeCertificate, makeRoot, type TestCertificate } from "../testing/test-certificates.ts";
import { CertificateAuthority } from "./certificate-authority.ts";
import { FileServerCertificate, serverCertificateFiles } from "./file-server-certificate.ts";
import { IssuedServerCertificate } from "./issued-server-certificate.ts";
import { serverNames } from "./server-certificate.ts";
import { parseSigner, type Signer } from "./signer.ts";

const logger = pino({ level: "silent" });
const patience = { timeout: 20_000, interval: 5 };

const signerOf = ({ certificate, key }: TestCertificate): Promise<Signer> => {
  const named = { name: "certificate", pem: certificate };
  return parseSigner({ certificate: named, key: { name: "key", pem: key }, chain: [], roots: named });
};

describe("the server's names", () => {
  const defaults = { namespace: "istio-system", revision: "", discoveryHost: "", customHosts: [] };
  const services = ["istio-pilot", "istiod-remote", "istiod"].map((name) => `${name}.istio-system.svc`);

  test("are its services'", () => {
    expect(serverNames(defaults)).toEqual(services);
    expect(serverNames({ ...defaults, revision: "default" })).toEqual(services);
  });

  test("are its revision's service's, its discovery host, and those that are asked for", () => {
    const names = serverNames({
      namespace: "mesh",
      revision: "canary",
      discoveryHost: "istiod.mesh.svc",
      customHosts: ["pilot.example", ""],
    });
    expect(names).toEqual([
      "istio-pilot.mesh.svc",
      "istiod-canary.mesh.svc",
      "istiod-remote.mesh.svc",
      "istiod.mesh.svc",
      "pilot.example",
    ]);
  });
});

describe("a certificate from our CA", () => {
  let certificate: IssuedServerCertificate | undefined;

  afterEach(async () => certificate?.close());

  const issue = async (
    authority: CertificateAuthority,
    lifetimeMs: number,
  ): Promise<IssuedServerCertificate> => {
    certificate = await IssuedServerCertificate.create({
      authority,
      names: ["a.test", "b.test"],
      lifetimeMs,
      logger,
    });
    return certificate;
  };

  test("has the names and the key", async () => {
    const root = await makeRoot();
    const { current } = await issue(new CertificateAuthority(await signerOf(root)), 3_600_000);
    const parsed = new X509Certificate(current.certificate);
    expect(parsed.subjectAltName).toBe("DNS:a.test, DNS:b.test");
    expect(parsed.verify(new X509Certificate(root.certificate).publicKey)).toBe(true);
    expect(current.certificate).not.toContain(root.certificate);
    expect(current.moreRoots).toBe("");
  });

  test("is renewed, with another key, when half of its time is over", async () => {
    // It counts from 2 minutes ago, so its half is over at once.
    const issued = await issue(new CertificateAuthority(await signerOf(await makeRoot())), 5_000);
    const first = issued.current;
    const changed = vi.fn();
    issued.onChange(changed);
    await vi.waitUntil(() => changed.mock.calls.length > 0, patience);
    expect(issued.current.key).not.toBe(first.key);
    expect(new X509Certificate(issued.current.certificate).validToDate.getTime()).toBeGreaterThanOrEqual(
      new X509Certificate(first.certificate).validToDate.getTime(),
    );
  });

  test("is renewed when another root signs", async () => {
    const authority = new CertificateAuthority(await signerOf(await makeRoot("one")));
    const issued = await issue(authority, 3_600_000);
    const next = await makeRoot("two");
    authority.replace(await signerOf(next));
    const root = new X509Certificate(next.certificate);
    await vi.waitUntil(() => new X509Certificate(issued.current.certificate).checkIssued(root), patience);
  });

  test("stays while it cannot be renewed", async () => {
    const authority = new CertificateAuthority(await signerOf(await makeRoot()));
    const issued = await issue(authority, 3_600_000);
    const first = issued.current;
    const sign = vi.spyOn(authority, "signServer").mockRejectedValue(new Error("no"));
    authority.replace(authority.signer);
    await vi.waitUntil(() => sign.mock.calls.length > 0, patience);
    expect(issued.current).toBe(first);
  });
});

describe("a certificate from files", () => {
  let directory: string;
  let opened: FileServerCertificate | undefined;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "keelson-"));
  });

  afterEach(async () => {
    await opened?.close();
    opened = undefined;
    rmSync(directory, { recursive: true, force: true });
  });

  const files = (): { certificate: string; key: string; ca: string } => ({
    certificate: join(directory, "server.pem"),
    key: join(directory, "server-key.pem"),
    ca: join(directory, "ca.pem"),
  });

  const open = async (): Promise<FileServerCertificate> => {
    const watching = { quietMs: 5, rescanMs: 1_000 };
    opened = await FileServerCertificate.open({ files: files(), watching, logger });
    return opened;
  };

  const write = ({ certificate, key }: TestCertificate, ca = certificate): void => {
    writeFileSync(files().certificate, certificate);
    writeFileSync(files().key, key);
    writeFileSync(files().ca, ca);
  };

  test("is followed", async () => {
    const [first, second] = [await makeCertificate(), await makeCertificate()];
    write(first);
    const certificate = await open();
    expect(certificate.current).toMatchObject({
      certificate: first.certificate,
      moreRoots: first.certificate,
    });
    const changed = vi.fn();
    certificate.onChange(changed);
    write(second);
    await vi.waitUntil(() => certificate.current.key === second.key, patience);
    expect(changed).toHaveBeenCalled();
  });

  test("stays while its key is another one's", async () => {
    const [first, second, third] = [
      await makeCertificate(),
      await makeCertificate(),
      await makeCertificate(),
    ];
    write(first);
    const certificate = await open();
    const seen: string[] = [];
    certificate.onChange(() => seen.push(certificate.current.certificate));
    writeFileSync(files().key, second.key);
    write(third);
    await vi.waitUntil(() => seen.length > 0, patience);
    expect(new Set(seen)).toEqual(new Set([third.certificate]));
  });

  test.each<[keyof ReturnType<typeof files>, RegExp]>([
    ["certificate", /server.pem does not exist/],
    ["key", /server-key.pem does not exist/],
    ["ca", /ca.pem does not exist/],
  ])("needs its %s", async (which, message) => {
    write(await makeCertificate());
    rmSync(files()[which]);
    await expect(open()).rejects.toThrow(message);
  });

  test("needs the certificate's key", async () => {
    write(await makeCertificate());
    writeFileSync(files().key, (await makeCertificate()).key);
    await expect(open()).rejects.toThrow("server-key.pem is not the key of the server's certificate");
  });

  test("stands where flags say, or where Pilot's manifests mount it", () => {
    expect(serverCertificateFiles({}, directory)).toBeUndefined();
    const touch = (path: string): void => {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), "");
    };
    touch("var/run/secrets/istiod/tls/tls.crt");
    touch("var/run/secrets/istiod/tls/tls.key");
    expect(serverCertificateFiles({}, directory)).toBeUndefined();
    touch("var/run/secrets/istiod/tls/ca.crt");
    const mounted = serverCertificateFiles({}, directory);
    expect(mounted?.ca).toBe(join(directory, "var/run/secrets/istiod/tls/ca.crt"));
    touch("var/run/secrets/istiod/ca/root-cert.pem");
    expect(serverCertificateFiles({}, directory)?.ca).toBe(
      join(directory, "var/run/secrets/istiod/ca/root-cert.pem"),
    );
    expect(serverCertificateFiles({ certificate: "a", key: "b", ca: "c" }, directory)?.ca).toBe("c");
    // As in Pilot, all three flags are needed.
    expect(serverCertificateFiles({ certificate: "a", key: "b" }, directory)).toEqual(
      serverCertificateFiles({}, directory),
    );
  });
});
