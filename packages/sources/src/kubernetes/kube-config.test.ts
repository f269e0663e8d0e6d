import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig as ClientConfig } from "@kubernetes/client-node";
import { expect, onTestFinished, test, vi } from "vitest";
import { type CallOptions, isInCluster, loadKubeConfig } from "./kube-config.ts";
import { PlainKubeConfig } from "./plain-kube-config.ts";

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "keelson-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

type Fields = Readonly<Record<string, unknown>>;

/** Writes a kubeconfig with one cluster and one user. */
function write(folder: string, cluster: Fields, user: Fields, context = "here"): string {
  const file = join(folder, "kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "cluster", cluster: { server: "https://10.96.0.1:443/", ...cluster } }],
    users: [{ name: "user", user }],
    contexts: [{ name: context, context: { cluster: "cluster", user: "user" } }],
    "current-context": "here",
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

const optionsOf = async (file: string): Promise<CallOptions> => {
  const options: CallOptions = { headers: { accept: "application/json" } };
  await (await loadKubeConfig(file)).applyTo(options);
  return options;
};

const text = (value: unknown): unknown => (Buffer.isBuffer(value) ? value.toString("utf8") : value);

/** What matters of a request, however it is spelt. */
const said = ({ headers, ca, cert, key, servername, rejectUnauthorized = true }: CallOptions) => ({
  headers: new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
  ca: text(ca),
  cert: text(cert),
  key: text(key),
  servername,
  rejectUnauthorized,
});

const data = (value: string): string => Buffer.from(value).toString("base64");

test.each<[string, Fields, Fields]>([
  ["a token", {}, { token: "secret" }],
  [
    "authority and client certificate in it",
    { "certificate-authority-data": data("authority") },
    { "client-certificate-data": data("certificate"), "client-key-data": data("key") },
  ],
  [
    "authority and client certificate in files beside it",
    { "certificate-authority": "ca.crt", "tls-server-name": "kubernetes" },
    { "client-certificate": "user.crt", "client-key": "user.key" },
  ],
  ["a server that is not checked", { "insecure-skip-tls-verify": true }, { token: "secret" }],
])("%s: requests are as the client library would send them", async (_, cluster, user) => {
  const folder = newFolder();
  for (const name of ["ca.crt", "user.crt", "user.key"]) writeFileSync(join(folder, name), `text of ${name}`);
  const file = write(folder, cluster, user);
  const library = new ClientConfig();
  library.loadFromFile(file);
  const theirs: CallOptions = { headers: { accept: "application/json" } };
  await library.applyToHTTPSOptions(theirs);
  const config = await loadKubeConfig(file);
  expect(config).toBeInstanceOf(PlainKubeConfig);
  expect(config.server).toBe("https://10.96.0.1:443");
  expect(said(await optionsOf(file))).toEqual(said(theirs));
});

test("a token in a file is read again", async () => {
  const folder = newFolder();
  const file = write(folder, {}, { tokenFile: "token" });
  const config = await loadKubeConfig(file);
  for (const token of ["first", "second"]) {
    writeFileSync(join(folder, "token"), `${token}\n`);
    const options: CallOptions = { headers: {} };
    await config.applyTo(options);
    expect(options.headers).toEqual({ authorization: `Bearer ${token}` });
  }
});

test("a helper that shows who asks is run", async () => {
  const credential = {
    apiVersion: "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    status: { token: "helped" },
  };
  const exec = {
    apiVersion: credential.apiVersion,
    command: process.execPath,
    args: ["-e", `console.log(${JSON.stringify(JSON.stringify(credential))})`],
    interactiveMode: "Never",
  };
  const file = write(newFolder(), {}, { exec });
  expect(said(await optionsOf(file)).headers.get("authorization")).toBe("Bearer helped");
});

test("what is no kubeconfig is told, with its name", async () => {
  const folder = newFolder();
  await expect(loadKubeConfig(join(folder, "none"))).rejects.toThrow("none is no kubeconfig: ENOENT");
  const file = write(folder, {}, { token: "secret" }, "elsewhere");
  await expect(loadKubeConfig(file)).rejects.toThrow(
    `${file} is no kubeconfig: it names no cluster for its current context "here"`,
  );
  writeFileSync(file, "clusters: [");
  await expect(loadKubeConfig(file)).rejects.toThrow(`${file} is no kubeconfig: `);
});

test("in a pod, it is the cluster that the pod runs in", async () => {
  expect(isInCluster({})).toBe(false);
  vi.stubEnv("KUBERNETES_SERVICE_HOST", "fd00::1");
  vi.stubEnv("KUBERNETES_SERVICE_PORT", "443");
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  expect(isInCluster(process.env)).toBe(true);
  expect((await loadKubeConfig("")).server).toBe("https://[fd00::1]:443");
});
