import { chmod, readFile, writeFile } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import type { OpenImage } from "../images/storage.ts";
import { http } from "../peers/http.ts";
import type { KubeApiserver } from "../peers/kube-apiserver.ts";
import { PeerProcess, peerRunFolder } from "../peers/peer-process.ts";
import { containerScript, type Mount } from "./container-script.ts";
import { insideRoot } from "./inside-root.ts";
import { type Container, type PodSpec, podSpec, type ValueFrom } from "./pod-spec.ts";
import { type PodIdentity, Volumes } from "./volumes.ts";

/** A pod as the API server holds it. */
export interface PodObject {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly uid: string };
  readonly spec: unknown;
}

export interface NodeRunnerOptions {
  readonly apiserver: KubeApiserver;
  /** Its name, as pods have it. */
  readonly node: string;
  /** Images by the name that pods give them. */
  readonly images: ReadonlyMap<string, OpenImage>;
  /** Names of Services; all lead to this machine, so ports are those of the pods. */
  readonly services: readonly string[];
}

/**
 * Stands in for a kubelet in tests: starts the container of a pod with the user, rights, root file system, environment and
 * mounts that its specification gives it, on the network that this process is in. No seccomp profile, no limits, no cgroup.
 */
export class NodeRunner {
  private readonly options: NodeRunnerOptions;

  constructor(options: NodeRunnerOptions) {
    this.options = options;
  }

  /**
   * @param args in place of the container's own
   * @throws Error naming the field, if the pod asks for what this runner does not do
   */
  async start({ metadata, spec }: PodObject, args?: readonly string[]): Promise<RunningPod> {
    const parsed = podSpec.parse(spec);
    const [container] = parsed.containers;
    const image = this.options.images.get(container.image);
    if (image === undefined) throw new Error(`there is no image ${container.image}`);
    const folder = await peerRunFolder(metadata.name);
    const user = userOf(container, image);
    const pod = { ...metadata, serviceAccount: parsed.serviceAccountName, group: user.group };
    const script = containerScript({
      root: image.root,
      mounts: await this.mounts(parsed, pod, { root: image.root, folder }),
      hostsFile: await this.hostsFile(folder),
      ...user,
      workingDirectory: image.config.WorkingDir || "/",
      securityContext: container.securityContext,
      environment: this.environment(container, image, pod),
      command: [...(container.command ?? image.config.Entrypoint ?? []), ...(args ?? container.args)],
    });
    const command = ["unshare", "--mount", "--propagation=private", "sh", "-c", script] as const;
    return new RunningPod(new PeerProcess(folder, { title: metadata.name, command }), container);
  }

  /** @param place the image's files, and a folder for what is made */
  private async mounts(
    spec: PodSpec,
    pod: PodIdentity,
    { root, folder }: { readonly root: string; readonly folder: string },
  ): Promise<Mount[]> {
    const volumes = new Volumes(this.options.apiserver, pod, join(folder, "volumes"));
    const [container] = spec.containers;
    const mounts: Mount[] = [];
    for (const { name, mountPath, readOnly } of container.volumeMounts) {
      const volume = spec.volumes.find((one) => one.name === name);
      if (volume === undefined) throw new Error(`there is no volume ${name}`);
      const at = await insideRoot(root, mountPath);
      mounts.push({ folder: await volumes.make(volume), at, readOnly });
    }
    if (!spec.automountServiceAccountToken) return mounts;
    const authority = await readFile(this.options.apiserver.authorityFile, "utf8");
    const at = await insideRoot(root, "/var/run/secrets/kubernetes.io/serviceaccount");
    return [...mounts, { folder: await volumes.makeApiAccess(authority), at, readOnly: true }];
  }

  private async hostsFile(folder: string): Promise<string> {
    const file = join(folder, "hosts");
    await writeFile(file, `127.0.0.1 localhost ${this.options.services.join(" ")}\n`);
    await chmod(file, 0o644);
    return file;
  }

  private environment(container: Container, image: OpenImage, pod: PodIdentity): Record<string, string> {
    const own = container.env.map(({ name, value, valueFrom }): [string, string] => [
      name,
      valueFrom === undefined ? (value ?? "") : valueOf(name, valueFrom, pod, this.options.node),
    ]);
    const { hostname, port } = new URL(this.options.apiserver.url);
    return {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      ...Object.fromEntries((image.config.Env ?? []).map((line) => line.split("=", 2) as [string, string])),
      KUBERNETES_SERVICE_HOST: hostname,
      KUBERNETES_SERVICE_PORT: port,
      ...Object.fromEntries(own),
    };
  }
}

/** What a variable is told of its pod. */
function valueOf(
  variable: string,
  { fieldRef, resourceFieldRef }: ValueFrom,
  pod: PodIdentity,
  node: string,
): string {
  const fields: Readonly<Record<string, string>> = {
    "metadata.name": pod.name,
    "metadata.namespace": pod.namespace,
    "spec.serviceAccountName": pod.serviceAccount,
    "spec.nodeName": node,
    // No limits are set, so they are what the machine has.
    "limits.cpu": String(availableParallelism()),
    "limits.memory": String(totalmem()),
  };
  const field = fieldRef?.fieldPath ?? resourceFieldRef?.resource ?? "";
  const found = fields[field];
  if (found === undefined) throw new Error(`variable ${variable}: field "${field}" is not known here`);
  return found;
}

/** As numbers: the pod's, else the image's, else root. */
function userOf({ securityContext }: Container, { config }: OpenImage): { user: number; group: number } {
  const [user = "0", group = "0"] = (config.User || "0:0").split(":");
  const found = {
    user: securityContext.runAsUser ?? Number(user),
    group: securityContext.runAsGroup ?? Number(group),
  };
  if (securityContext.runAsNonRoot === true && !(found.user > 0))
    throw new Error(`the container may not run as root, and would as "${config.User ?? ""}"`);
  return found;
}

/** A pod's container that has been started. */
export class RunningPod {
  readonly process: PeerProcess;
  private readonly container: Container;

  constructor(process: PeerProcess, container: Container) {
    this.process = process;
    this.container = container;
  }

  /** Waits until its readiness probe says yes. @throws Error with its last lines, if it ends or takes too long. */
  async ready(): Promise<void> {
    const { readinessProbe, ports } = this.container;
    if (readinessProbe === undefined) return;
    const { path, port } = readinessProbe.httpGet;
    const number = typeof port === "number" ? port : ports.find(({ name }) => name === port)?.containerPort;
    if (number === undefined) throw new Error(`there is no port ${port}`);
    await this.process.ready(
      async () => (await http({ host: "127.0.0.1", port: number, path })).status === 200,
    );
  }

  /** Waits until it has ended by itself. @returns how: "code 0" */
  ended(): Promise<string> {
    return this.process.process.ended;
  }
}
