import { chmod, chown, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { KubeApiserver } from "../peers/kube-apiserver.ts";
import type { Volume } from "./pod-spec.ts";

/** Of whom the volumes are made. */
export interface PodIdentity {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly serviceAccount: string;
  /** Whose group the files belong to, beside root. */
  readonly group: number;
}

/** Makes the folders that a kubelet would mount, of what the API server holds. */
export class Volumes {
  private readonly apiserver: KubeApiserver;
  private readonly pod: PodIdentity;
  private readonly folder: string;

  constructor(apiserver: KubeApiserver, pod: PodIdentity, folder: string) {
    this.apiserver = apiserver;
    this.pod = pod;
    this.folder = folder;
  }

  /** @returns the folder to mount @throws Error if it is of an object that is not there, and not optional */
  async make(volume: Volume): Promise<string> {
    const { name, configMap, secret, hostPath, projected } = volume;
    if (hostPath !== undefined) {
      if (hostPath.type === "DirectoryOrCreate") await mkdir(hostPath.path, { recursive: true });
      return hostPath.path;
    }
    const folder = join(this.folder, name);
    await mkdir(folder, { recursive: true });
    if (configMap !== undefined) {
      const data = await this.dataOf("configmap", configMap.name, configMap.optional);
      await this.write(folder, data, (text) => Buffer.from(text));
    } else if (secret !== undefined) {
      const data = await this.dataOf("secret", secret.secretName, secret.optional);
      await this.write(folder, data, (text) => Buffer.from(text, "base64"));
    } else if (projected !== undefined) {
      for (const { serviceAccountToken: token } of projected.sources)
        await this.write(folder, { [token.path]: await this.token(token.audience) }, (text) =>
          Buffer.from(text),
        );
    }
    await chown(folder, 0, this.pod.group);
    await chmod(folder, 0o2775);
    return folder;
  }

  /** What stands at /var/run/secrets/kubernetes.io/serviceaccount. */
  async makeApiAccess(authority: string): Promise<string> {
    const folder = join(this.folder, "api-access");
    const audience = "https://kubernetes.default.svc.cluster.local";
    const files = { token: await this.token(audience), "ca.crt": authority, namespace: this.pod.namespace };
    await this.write(folder, files, (text) => Buffer.from(text));
    return folder;
  }

  private async token(audience: string): Promise<string> {
    const { name, namespace, uid, serviceAccount } = this.pod;
    const bound = ["--bound-object-kind=Pod", `--bound-object-name=${name}`, `--bound-object-uid=${uid}`];
    const args = ["create", "token", serviceAccount, `--namespace=${namespace}`, `--audience=${audience}`];
    return (await this.apiserver.kubectl([...args, ...bound, "--duration=1h"])).trim();
  }

  private async dataOf(kind: string, name: string, optional: boolean): Promise<Record<string, string>> {
    const ask = ["get", kind, name, `--namespace=${this.pod.namespace}`, "--output=json"];
    const text = await this.apiserver.kubectl(optional ? [...ask, "--ignore-not-found"] : ask);
    if (text === "") return {};
    return (JSON.parse(text) as { data?: Record<string, string> }).data ?? {};
  }

  private async write(
    folder: string,
    files: Readonly<Record<string, string>>,
    decode: (text: string) => Buffer,
  ): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      const path = join(folder, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, decode(text));
      await chown(path, 0, this.pod.group);
      await chmod(path, 0o640);
    }
  }
}
