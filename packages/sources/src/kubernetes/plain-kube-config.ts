import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { type Fields, fieldsOf, listOf } from "./fields.ts";
import type { CallOptions, KubeConfig } from "./kube-config.ts";

/** What stands in a file of its own, which may change, or in the kubeconfig. */
type Part = { readonly file: string } | { readonly value: string };

export interface PlainAccess {
  readonly server: string;
  /** Instead of the server's own name. */
  readonly serverName?: string;
  readonly skipTlsVerify?: boolean;
  readonly ca?: Part;
  readonly token?: Part;
  readonly certificate?: Part;
  readonly key?: Part;
}

const contentOf = async (part: Part | undefined): Promise<string | undefined> =>
  part === undefined ? undefined : "value" in part ? part.value : readFile(part.file, "utf8");

/** Access by a token or a client certificate. */
export class PlainKubeConfig implements KubeConfig {
  private readonly access: PlainAccess;

  constructor(access: PlainAccess) {
    this.access = access;
  }

  get server(): string {
    return this.access.server;
  }

  async applyTo(options: CallOptions): Promise<void> {
    const { serverName, skipTlsVerify, ...parts } = this.access;
    const ca = await contentOf(parts.ca);
    const token = await contentOf(parts.token);
    const [cert, key] = [await contentOf(parts.certificate), await contentOf(parts.key)];
    if (skipTlsVerify === true) options.rejectUnauthorized = false;
    if (serverName !== undefined) options.servername = serverName;
    Object.assign(options, ca && { ca }, cert && { cert }, key && { key });
    if (token !== undefined) options.headers["authorization"] = `Bearer ${token.trim()}`;
  }
}

const known = {
  cluster: [
    "server",
    "tls-server-name",
    "insecure-skip-tls-verify",
    "certificate-authority",
    "certificate-authority-data",
  ],
  user: [
    "token",
    "tokenFile",
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
  ],
} as const;

/**
 * Reads the current context of a kubeconfig (Kubernetes' API reference, kubeconfig v1).
 * @returns undefined if there is anything in it that is not known here
 * @throws Error if the file cannot be read, or is no YAML.
 */
export async function readPlainKubeConfig(path: string): Promise<PlainKubeConfig | undefined> {
  const config = fieldsOf(parse(await readFile(path, "utf8")));
  const context = named(config, "contexts", config["current-context"], "context");
  const cluster = named(config, "clusters", context["cluster"], "cluster");
  const user = named(config, "users", context["user"], "user");
  const isPlain = hasOnly(cluster, known.cluster) && hasOnly(user, known.user);
  const { server, "tls-server-name": serverName, "insecure-skip-tls-verify": skipTlsVerify } = cluster;
  if (!isPlain || !isText(server)) return undefined;
  const inFile = (name: unknown): Part | undefined =>
    isText(name) ? { file: resolve(dirname(path), name) } : undefined;
  const ofData = (data: unknown): Part | undefined =>
    isText(data) ? { value: Buffer.from(data, "base64").toString("utf8") } : undefined;
  const parts = {
    ca: ofData(cluster["certificate-authority-data"]) ?? inFile(cluster["certificate-authority"]),
    token: inFile(user["tokenFile"]) ?? (isText(user["token"]) ? { value: user["token"] } : undefined),
    certificate: ofData(user["client-certificate-data"]) ?? inFile(user["client-certificate"]),
    key: ofData(user["client-key-data"]) ?? inFile(user["client-key"]),
  };
  return new PlainKubeConfig({
    server: server.replace(/\/$/, ""),
    ...(isText(serverName) ? { serverName } : {}),
    skipTlsVerify: skipTlsVerify === true,
    ...Object.fromEntries(Object.entries(parts).filter(([, found]) => found !== undefined)),
  });
}

/** What a list of the kubeconfig has under a name; nothing if there is none. */
function named(config: Fields, list: string, name: unknown, field: string): Fields {
  const found = listOf(config[list]).find((entry) => entry["name"] === name);
  return fieldsOf(found?.[field]);
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

const hasOnly = (fields: Fields, names: readonly string[]): boolean =>
  Object.keys(fields).every((name) => names.includes(name));
