import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Logger, pino } from "pino";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { makeRoot, type TestCertificate } from "../testing/test-certificates.ts";
import { writePluggedRoot } from "../testing/test-secure-port.ts";
import { defaultLifetimes } from "./certificate-authority.ts";
import { FileRootStore } from "./file-root-store.ts";
import { type AuthorityOptions, type OpenAuthority, openAuthority } from "./open-authority.ts";
import { defaultRootOptions } from "./self-made-root.ts";

const patience = { timeout: 20_000, interval: 5 };

let directory: string;
let log: string[];
let logger: Logger;
let opened: OpenAuthority | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "keelson-"));
  log = [];
  logger = pino({ level: "debug" }, { write: (line) => log.push(line) });
});

afterEach(async () => {
  await opened?.close();
  opened = undefined;
  rmSync(directory, { recursive: true, force: true });
});

async function open(
  options: Partial<AuthorityOptions> = {},
  selfMade: Partial<AuthorityOptions["selfMade"]> = {},
): Promise<OpenAuthority["authority"]> {
  opened = await openAuthority({
    directory,
    multiRoot: false,
    selfMade: {
      store: new FileRootStore(join(directory, "root.json")),
      trustDomain: "cluster.local",
      ...defaultRootOptions,
      ...selfMade,
    },
    checkIntervalMs: 0,
    checkJitter: false,
    lifetimes: defaultLifetimes,
    watching: { quietMs: 5, rescanMs: 60_000 },
    logger,
    ...options,
  });
  return opened.authority;
}

const untilLogged = (text: string): Promise<boolean> =>
  vi.waitUntil(() => log.some((line) => line.includes(text)), patience);

/** As the kubelet mounts a Secret: names link to names below ..data, which links to a folder that is replaced. */
function mountSecret(version: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(directory, version));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, version, name), text);
  symlinkSync(version, join(directory, "..data_tmp"));
  renameSync(join(directory, "..data_tmp"), join(directory, "..data"));
  for (const name of Object.keys(files)) {
    if (!readdirSync(directory).includes(name)) symlinkSync(join("..data", name), join(directory, name));
  }
}

const signedBy = (signing: TestCertificate, roots: string): Readonly<Record<string, string>> => ({
  "ca-cert.pem": signing.certificate,
  "ca-key.pem": signing.key,
  "root-cert.pem": roots,
  "cert-chain.pem": signing.certificate,
});

describe("a given root", () => {
  test("is preferred to a self-made one, which then is not made", async () => {
    const root = await makeRoot();
    writePluggedRoot(directory, root);
    expect((await open()).signer.roots).toBe(root.certificate);
    expect(readdirSync(directory)).not.toContain("root.json");
  });

  test("that is incomplete is an error, and no other root is made", async () => {
    writePluggedRoot(directory, await makeRoot());
    rmSync(join(directory, "ca-key.pem"));
    await expect(open()).rejects.toThrow("ca-key.pem missing");
    expect(readdirSync(directory)).not.toContain("root.json");
  });

  test("may bring another signing certificate, as the kubelet replaces a mounted Secret", async () => {
    const root = await makeRoot();
    const [first, second] = [
      await makeRoot("first", { issuer: root }),
      await makeRoot("second", { issuer: root }),
    ];
    mountSecret("..1", signedBy(first, root.certificate));
    const authority = await open();
    const replaced = vi.fn();
    authority.onReplace(replaced);
    mountSecret("..2", signedBy(second, root.certificate));
    await vi.waitUntil(() => replaced.mock.calls.length > 0, patience);
    expect(authority.signer.chain).toEqual([second.certificate]);
    expect(replaced).toHaveBeenCalledOnce();
  });

  test("is noticed when it changes before it is followed, and when no notification comes", async () => {
    const root = await makeRoot();
    const [first, second] = [
      await makeRoot("first", { issuer: root }),
      await makeRoot("second", { issuer: root }),
    ];
    // The files stand behind links into a folder that nobody watches.
    const elsewhere = join(directory, "elsewhere");
    mkdirSync(elsewhere);
    for (const [name, text] of Object.entries(signedBy(first, root.certificate))) {
      writeFileSync(join(elsewhere, name), text);
      symlinkSync(join(elsewhere, name), join(directory, name));
    }
    const authority = await open({ watching: { quietMs: 5, rescanMs: 20 } });
    for (const [name, text] of Object.entries(signedBy(second, root.certificate)))
      writeFileSync(join(elsewhere, name), text);
    await vi.waitUntil(() => authority.signer.chain[0] === second.certificate, patience);
  });

  test("stays in use while its files are wrong, and is replaced when they are right again", async () => {
    const root = await makeRoot();
    writePluggedRoot(directory, root);
    const authority = await open();
    const before = authority.signer;
    writeFileSync(join(directory, "ca-key.pem"), "half a k");
    await untilLogged("ca-key.pem has no private key in PEM");
    rmSync(join(directory, "cert-chain.pem"));
    await untilLogged("cert-chain.pem missing");
    expect(authority.signer).toBe(before);
    const next = await makeRoot("next", { issuer: root });
    for (const [name, text] of Object.entries(signedBy(next, root.certificate)))
      writeFileSync(join(directory, name), text);
    await vi.waitUntil(() => authority.signer.chain[0] === next.certificate, patience);
  });

  test("does not bring other roots", async () => {
    const [root, other] = [await makeRoot("one"), await makeRoot("other")];
    writePluggedRoot(directory, root);
    const authority = await open();
    writePluggedRoot(directory, other);
    await untilLogged("its roots differ from those in use, and ISTIO_MULTIROOT_MESH is not set");
    expect(authority.signer.roots).toBe(root.certificate);
  });

  test("brings more roots where nodes are told of them", async () => {
    const [root, other] = [await makeRoot("one"), await makeRoot("other")];
    writePluggedRoot(directory, root);
    const authority = await open({ multiRoot: true });
    writeFileSync(join(directory, "root-cert.pem"), root.certificate + other.certificate);
    await vi.waitUntil(() => authority.signer.roots === root.certificate + other.certificate, patience);
  });
});

describe("a self-made root", () => {
  test("is looked after: another replica's is taken, one that is about to end is renewed", async () => {
    const authority = await open({ checkIntervalMs: 5, checkJitter: true }, { gracePercent: 0 });
    const first = authority.signer.roots;
    const store = new FileRootStore(join(directory, "root.json"));
    const kept = await store.load();
    if (kept === undefined) throw new Error("no root is kept");
    rmSync(join(directory, "root.json"));
    // Another one's, made meanwhile.
    await openAuthority({
      ...({ directory: "/nowhere", multiRoot: false, checkIntervalMs: 0, checkJitter: false } as const),
      selfMade: { store, trustDomain: "cluster.local", ...defaultRootOptions },
      lifetimes: defaultLifetimes,
      logger,
    });
    await vi.waitUntil(() => authority.signer.roots !== first, patience);
    expect(authority.signer.roots).toBe((await store.load())?.["ca-cert.pem"]);
  });

  test("that cannot be looked after stays in use, and the reason is logged", async () => {
    const authority = await open({ checkIntervalMs: 5 });
    const { roots } = authority.signer;
    writeFileSync(join(directory, "root.json"), "broken");
    await untilLogged("does not hold a root");
    expect(authority.signer.roots).toBe(roots);
    expect(log.join("")).not.toContain("PRIVATE KEY");
  });
});
