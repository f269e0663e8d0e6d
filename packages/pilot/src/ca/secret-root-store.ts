import { setTimeout as sleep } from "node:timers/promises";
import { ApiError, type ApiServer, Backoff } from "@keelson/sources";
import { z } from "zod";
import { KeptObjects } from "../kubernetes/kept-objects.ts";
import type { RootStore, StoredRoot } from "./root-store.ts";

export interface SecretRootStoreOptions {
  readonly api: ApiServer;
  /** Of the control plane. */
  readonly namespace: string;
  /** An API server that does not answer is asked again for this time, in ms; default 30,000. */
  readonly patienceMs?: number;
}

/** Where istiod keeps the root that it has made. */
const name = "istio-ca-secret";
const type = "istio.io/ca-root";

const requestMs = 10_000;

const schema = z.looseObject({
  metadata: z.looseObject({ resourceVersion: z.string() }),
  data: z.looseObject({ "ca-cert.pem": z.string().min(1), "ca-key.pem": z.string().min(1) }),
});

type Secret = z.infer<typeof schema>;

/** Keeps the root in the Secret that istiod would, so that replicas share it, and one program may follow the other. */
export class SecretRootStore implements RootStore {
  readonly place: string;
  private readonly options: SecretRootStoreOptions;
  private readonly collection: string;

  constructor(options: SecretRootStoreOptions) {
    this.options = options;
    this.place = `Secret ${options.namespace}/${name}`;
    this.collection = `/api/v1/namespaces/${options.namespace}/secrets`;
  }

  async load(): Promise<StoredRoot | undefined> {
    const secret = await this.read();
    return secret === undefined ? undefined : rootOf(secret);
  }

  async create(root: StoredRoot): Promise<StoredRoot> {
    const { namespace } = this.options;
    const object = { metadata: { name, namespace }, type, data: dataOf(root) };
    return this.write(root, "POST", this.collection, object);
  }

  async replace(previous: StoredRoot, next: StoredRoot): Promise<StoredRoot> {
    const kept = await this.read();
    if (kept === undefined) throw new Error(`${this.place} is gone`);
    const root = rootOf(kept);
    if (root["ca-cert.pem"] !== previous["ca-cert.pem"]) return root;
    const object = { ...kept, data: { ...kept.data, ...dataOf(next) } };
    return this.write(next, "PUT", `${this.collection}/${name}`, object);
  }

  follow(onChange: () => void): () => Promise<void> {
    const stop = new AbortController();
    const secret = new KeptObjects<string>({
      api: this.options.api,
      collection: { group: "", version: "v1", plural: "secrets", fieldSelector: `metadata.name=${name}` },
      namespaced: true,
      namespace: this.options.namespace,
      // What stands in it is read when it is needed.
      keep: ({ metadata }) => metadata.resourceVersion,
      onChange,
    });
    const running = secret.run(stop.signal);
    return () => {
      stop.abort();
      return running;
    };
  }

  /** @returns what is kept now: another's, if that one was faster */
  private async write(
    root: StoredRoot,
    method: "POST" | "PUT",
    path: string,
    object: object,
  ): Promise<StoredRoot> {
    try {
      await this.patiently((signal) =>
        this.options.api.send(method, path, object, { signal, idleMs: requestMs }),
      );
      return root;
    } catch (error) {
      const kept = statusOf(error) === 409 ? await this.load() : undefined;
      if (kept === undefined) throw this.because("written", error as Error);
      return kept;
    }
  }

  private async read(): Promise<Secret | undefined> {
    let answer: unknown;
    try {
      answer = await this.patiently((signal) =>
        this.options.api.getJson(`${this.collection}/${name}`, { signal, idleMs: requestMs }),
      );
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw this.because("read", error as Error);
    }
    const { data: secret } = schema.safeParse(answer);
    if (secret !== undefined) return secret;
    throw new Error(
      `${this.place} does not hold a root (ca-cert.pem and ca-key.pem); bring it back from a backup: with another root no workload would trust another that has its certificate already`,
    );
  }

  /** Asks again where nothing is said but that the server has trouble. */
  private async patiently<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { patienceMs = 30_000 } = this.options;
    const backoff = new Backoff({ firstMs: 200, mostMs: 5_000 });
    const end = performance.now() + patienceMs;
    for (;;) {
      try {
        return await ask(AbortSignal.timeout(requestMs));
      } catch (error) {
        if (!isTrouble(error) || performance.now() > end) throw error;
        await sleep(backoff.next());
      }
    }
  }

  private because(what: string, error: Error): Error {
    const status = statusOf(error);
    const why = status === 0 ? error.message : `${status}: ${error.message}`;
    return new Error(`${this.place}, where the root is kept, cannot be ${what}: ${why}`, { cause: error });
  }
}

const statusOf = (error: unknown): number => (error instanceof ApiError ? error.status : 0);

/** Whether the same request may well succeed later. */
const isTrouble = (error: unknown): boolean => {
  const status = statusOf(error);
  return status === 0 || status === 429 || status >= 500;
};

const encode = (text: string): string => Buffer.from(text, "utf8").toString("base64");
const decode = (text: string): string => Buffer.from(text, "base64").toString("utf8");

const rootOf = ({ data }: Secret): StoredRoot => ({
  "ca-cert.pem": decode(data["ca-cert.pem"]),
  "ca-key.pem": decode(data["ca-key.pem"]),
});

/** All keys that istiod writes, of which a root that has made itself has no more than two. */
const dataOf = (root: StoredRoot): Record<string, string> => ({
  "ca-cert.pem": encode(root["ca-cert.pem"]),
  "ca-key.pem": encode(root["ca-key.pem"]),
  "root-cert.pem": encode(root["ca-cert.pem"]),
  "cert-chain.pem": "",
  "key.pem": "",
});
