import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { freePort } from "../world/free-port.ts";
import { type Etcd, startEtcd } from "./etcd.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { requirePeer } from "./peer-cache.ts";
import { PeerProcess, type PeerProcessOptions, peerRunFolder } from "./peer-process.ts";
import { type RunOptions, runProgram, runProgramOrThrow } from "./run-program.ts";

/** One who may call the API server with a fixed token. */
export interface KubeUser {
  readonly name: string;
  /** Such as "system:masters", which may do everything. */
  readonly groups: readonly string[];
}

export interface KubeApiserverOptions {
  /** Users beside the administrator; their rights come from RBAC objects. */
  readonly users?: readonly KubeUser[];
  /** More of its command line. */
  readonly args?: readonly string[];
}

const administrator: KubeUser = { name: "admin", groups: ["system:masters"] };

/**
 * A real Kubernetes API server on an etcd of its own. There is no kubelet, no scheduler and no controller: pods stay
 * Pending, nobody makes EndpointSlices or ServiceAccounts, and what is deleted with finalizers stays.
 */
export class KubeApiserver {
  process: PeerProcess;
  readonly etcd: Etcd;
  /** Of 127.0.0.1. */
  readonly port: number;
  /** https://127.0.0.1:PORT */
  readonly url: string;
  /** PEM, of the authority that signed its certificate. */
  readonly authorityFile: string;
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  /** By user name. */
  private readonly tokens: ReadonlyMap<string, string>;
  private readonly agent = new Agent({ keepAlive: true });
  private readonly command: PeerProcessOptions;

  constructor(
    command: PeerProcessOptions,
    folder: string,
    etcd: Etcd,
    port: number,
    tokens: ReadonlyMap<string, string>,
  ) {
    this.command = command;
    const process = new PeerProcess(folder, command);
    this.process = process;
    this.etcd = etcd;
    this.port = port;
    this.url = `https://127.0.0.1:${port}`;
    this.authorityFile = join(process.folder, "apiserver.crt");
    this.kubeconfig = join(process.folder, `${administrator.name}.kubeconfig`);
    this.tokens = tokens;
  }

  /** Writes the kubeconfig of a user that the options named. @returns its path. */
  async kubeconfigOf(user: string): Promise<string> {
    const token = this.tokens.get(user);
    if (token === undefined)
      throw new Error(`the API server knows ${[...this.tokens.keys()].join(", ")}, but not "${user}"`);
    return this.kubeconfigWith(user, token);
  }

  /** Writes a kubeconfig for any token, such as one of a ServiceAccount. @returns its path. */
  async kubeconfigWith(name: string, token: string): Promise<string> {
    const file = join(this.process.folder, `${name}.kubeconfig`);
    await writeKubeconfig(file, { server: this.url, authorityFile: this.authorityFile, token });
    return file;
  }

  /** Writes a kubeconfig that leads to the server by another port of 127.0.0.1. @returns its path. */
  async kubeconfigBy(port: number, user = administrator.name): Promise<string> {
    const token = this.tokens.get(user) ?? "";
    const file = join(this.process.folder, `${user}-${port}.kubeconfig`);
    const server = `https://127.0.0.1:${port}`;
    await writeKubeconfig(file, { server, authorityFile: this.authorityFile, token });
    return file;
  }

  /** Runs kubectl as the administrator. @throws Error with what it said if it does not end with 0. */
  async kubectl(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { program } = await requirePeer("kubectl");
    return runProgramOrThrow(program, ["--kubeconfig", this.kubeconfig, ...args], options);
  }

  /** Applies objects, as kubectl would a file of them. */
  async apply(...objects: readonly object[]): Promise<void> {
    const list = { apiVersion: "v1", kind: "List", items: objects };
    await this.kubectl(["apply", "--server-side", "-f", "-"], { input: JSON.stringify(list) });
  }

  /**
   * One call of its API as the administrator, where kubectl would take longer than what is asked for.
   * @throws Error with the answer unless its status is 2xx.
   */
  async call(
    method: "POST" | "PATCH",
    path: string,
    body: object,
    contentType = "application/json",
  ): Promise<void> {
    const authorization = `Bearer ${this.tokens.get(administrator.name)}`;
    const ca = await readFile(this.authorityFile);
    const headers = { authorization, "content-type": contentType };
    const call = request(`${this.url}${path}`, { method, agent: this.agent, ca, headers });
    call.end(JSON.stringify(body));
    const [response] = (await once(call, "response")) as [IncomingMessage];
    const answer = await text(response);
    const { statusCode = 0 } = response;
    if (statusCode < 200 || statusCode > 299) throw new Error(`${method} ${path}: ${statusCode}: ${answer}`);
  }

  /**
   * A token of a ServiceAccount, by the TokenRequest API, valid for an hour.
   * @param pod of its namespace that the token is bound to, as a kubelet binds it; empty: to none
   */
  async serviceAccountToken(namespace: string, name: string, audience: string, pod = ""): Promise<string> {
    const args = ["create", "token", name, "-n", namespace, "--audience", audience, "--duration", "1h"];
    const bound = pod === "" ? [] : ["--bound-object-kind=Pod", `--bound-object-name=${pod}`];
    return (await this.kubectl([...args, ...bound])).trim();
  }

  async isReady(): Promise<boolean> {
    const { program } = await requirePeer("kubectl");
    const ask = ["--kubeconfig", this.kubeconfig, "--request-timeout=2s", "get", "--raw", "/readyz"];
    return (await runProgram(program, ask)).stdout === "ok";
  }

  /** Waits until it answers. @throws Error with its last lines if it does not. */
  async ready(): Promise<void> {
    await this.process.ready(() => this.isReady(), { everyMs: 200 });
  }

  /** Ends it as a crash would; its etcd, and with it all objects, stay. */
  async kill(): Promise<void> {
    await this.process.process.kill();
  }

  /** Starts it anew, at the same address. */
  async restart(): Promise<void> {
    this.process = new PeerProcess(this.process.folder, this.command);
    await this.ready();
  }

  /** Stops its etcd, too. */
  async stop(): Promise<void> {
    this.agent.destroy();
    await this.process.stop();
    await this.etcd.stop();
  }
}

/** @throws Error if a peer is not set up, or does not become ready. */
export async function startKubeApiserver(options: KubeApiserverOptions = {}): Promise<KubeApiserver> {
  const { program } = await requirePeer("kube-apiserver");
  await requirePeer("kubectl");
  const etcd = await startEtcd();
  const folder = await peerRunFolder("kube-apiserver");
  const port = await freePort();
  const users = [administrator, ...(options.users ?? [])];
  const tokens = new Map(users.map(({ name }) => [name, randomBytes(16).toString("hex")]));
  await writeCredentials(folder, users, tokens);
  const command: PeerProcessOptions = {
    title: "kube-apiserver",
    command: [program, ...commandLine(folder, etcd, port), ...(options.args ?? [])],
  };
  const server = new KubeApiserver(command, folder, etcd, port, tokens);
  await server.kubeconfigOf(administrator.name);
  await server.ready().catch(async (error: unknown) => {
    await etcd.stop();
    throw error;
  });
  return server;
}

function commandLine(folder: string, etcd: Etcd, port: number): string[] {
  const key = join(folder, "service-account.key");
  return [
    `--etcd-servers=${etcd.url}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${port}`,
    // Where it writes the certificate it makes for itself, apiserver.crt, followed by its authority's.
    `--cert-dir=${folder}`,
    // It refuses a loopback address, but with this reconciler it tells nobody; this one is for documentation (RFC 5737).
    "--advertise-address=192.0.2.1",
    "--endpoint-reconciler-type=none",
    "--service-cluster-ip-range=10.96.0.0/16",
    "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    "--authorization-mode=RBAC",
    `--token-auth-file=${join(folder, "tokens.csv")}`,
  ];
}

async function writeCredentials(
  folder: string,
  users: readonly KubeUser[],
  tokens: ReadonlyMap<string, string>,
): Promise<void> {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" });
  await writeFile(join(folder, "service-account.key"), pem, { mode: 0o600 });
  const lines = users.map(({ name, groups }) => `${tokens.get(name)},${name},${name},"${groups.join(",")}"`);
  await writeFile(join(folder, "tokens.csv"), `${lines.join("\n")}\n`, { mode: 0o600 });
}
