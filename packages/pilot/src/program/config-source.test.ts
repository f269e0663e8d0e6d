import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { readSettings } from "../settings/read-settings.ts";
import { openSource } from "./config-source.ts";

const pod = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443" };

function kubeconfig(): string {
  const folder = mkdtempSync(join(tmpdir(), "keelson-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "kubeconfig");
  const config = {
    clusters: [{ name: "a", cluster: { server: "https://api.example.org:6443" } }],
    users: [{ name: "a", user: { token: "secret" } }],
    contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
    "current-context": "a",
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

const fromOf = async (args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<string> =>
  (await openSource(readSettings(args, environment).settings, environment)).from;

test("files, Kubernetes by a kubeconfig, or both", async () => {
  const file = kubeconfig();
  expect(await fromOf(["--configDir=./rules"])).toBe("./rules");
  expect(await fromOf([`--kubeconfig=${file}`])).toBe("Kubernetes at https://api.example.org:6443");
  expect(await fromOf([], { KUBECONFIG: file })).toBe("Kubernetes at https://api.example.org:6443");
  expect(await fromOf(["--configDir=./rules", `--kubeconfig=${file}`])).toBe(
    "./rules and Kubernetes at https://api.example.org:6443",
  );
  expect(await fromOf(["--configDir=./rules", `--kubeconfig=${file}`, "--registries=Consul"])).toBe(
    "./rules",
  );
});

test("in a pod, the cluster that it runs in, also where the kubeconfig is not there", async () => {
  // The client library reads them from the process itself.
  for (const [name, value] of Object.entries(pod)) vi.stubEnv(name, value);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  for (const args of [[], ["--kubeconfig=/var/run/secrets/remote/config"]])
    expect(await fromOf(args, pod)).toBe("Kubernetes at https://10.96.0.1:443");
});

test("nothing to read is an error that says what is missing, and so is a kubeconfig that is none", async () => {
  await expect(fromOf([])).rejects.toThrow("neither --configDir nor --kubeconfig is given");
  await expect(fromOf(["--kubeconfig=/nowhere"])).rejects.toThrow("/nowhere is no file");
  const file = kubeconfig();
  writeFileSync(file, "clusters: [");
  await expect(fromOf([`--kubeconfig=${file}`])).rejects.toThrow(`${file} is no kubeconfig`);
});
