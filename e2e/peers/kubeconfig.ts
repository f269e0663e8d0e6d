import { writeFile } from "node:fs/promises";

/** How a client reaches an API server, and as whom. */
export interface KubeAccess {
  /** https://HOST:PORT */
  readonly server: string;
  /** PEM, of the authority that signed the server's certificate. */
  readonly authorityFile: string;
  readonly token: string;
}

/** Writes a kubeconfig of one context. JSON is YAML, so every client takes it. */
export async function writeKubeconfig(file: string, access: KubeAccess): Promise<void> {
  const name = "test";
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server: access.server, "certificate-authority": access.authorityFile } }],
    users: [{ name, user: { token: access.token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  };
  await writeFile(file, JSON.stringify(config, null, 2), { mode: 0o600 });
}
