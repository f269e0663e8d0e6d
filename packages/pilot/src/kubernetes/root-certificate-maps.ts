import { createHash } from "node:crypto";
import { ApiError, type ApiServer, type RawObject } from "@keelson/sources";
import { z } from "zod";
import { KeptObjects } from "./kept-objects.ts";
import { type WorkOutcome, WorkQueue } from "./work-queue.ts";
import type { WriteBudget } from "./write-budget.ts";
import type { WriteReport } from "./write-report.ts";

export interface RootCertificateMapsOptions {
  readonly api: ApiServer;
  /** Of the ConfigMaps: istio-ca-root-cert (PILOT_CA_CERT_CONFIGMAP). */
  readonly name: string;
  /** The only namespace that gets one; empty: all that should. */
  readonly namespace: string;
  /** PEM of the roots by which workloads check the control plane, and each other; empty: nothing is written. */
  readonly roots: () => string;
  readonly budget: WriteBudget;
  readonly report: WriteReport;
}

/** Namespaces that nobody's workloads run in, as istiod leaves them out; kube-system is none of them. */
const leftOut = new Set(["kube-public", "kube-node-lease", "local-path-storage"]);

const rootKey = "root-cert.pem";
const label = { "istio.io/config": "true" };

const idleMs = 30_000;

const mapSchema = z.looseObject({
  metadata: z.looseObject({ labels: z.record(z.string(), z.string()).optional() }),
  data: z.record(z.string(), z.string()).optional(),
});

/** Keeps a ConfigMap with the roots in every namespace, whatever others make of it. */
export class RootCertificateMaps {
  private readonly options: RootCertificateMapsOptions;
  private readonly what: string;
  private readonly namespaces: KeptObjects<true>;
  /** Namespace → digest of what its ConfigMap says. */
  private readonly maps: KeptObjects<string>;
  private readonly queue = new WorkQueue();

  constructor(options: RootCertificateMapsOptions) {
    this.options = options;
    const { api, name, namespace, report } = options;
    this.what = `ConfigMap ${name}`;
    const onListed = (): void => this.rootsChanged();
    this.namespaces = new KeptObjects<true>({
      api,
      collection: { group: "", version: "v1", plural: "namespaces" },
      namespaced: false,
      keep: (item) => (this.isMeant(item) ? true : undefined),
      onChange: (key) => this.queue.add(key),
      onListed,
      report,
    });
    this.maps = new KeptObjects<string>({
      api,
      collection: { group: "", version: "v1", plural: "configmaps", fieldSelector: `metadata.name=${name}` },
      namespaced: true,
      namespace,
      keep: digestOf,
      onChange: (key) => this.queue.add(key.slice(0, key.indexOf("/"))),
      onListed,
      report,
    });
  }

  /** Writes until told to stop. */
  async run(stop: AbortSignal): Promise<void> {
    await Promise.all([
      this.namespaces.run(stop),
      this.maps.run(stop),
      this.queue.run((namespace) => this.work(namespace, stop), stop),
    ]);
  }

  /** Has all namespaces looked at again. */
  rootsChanged(): void {
    for (const namespace of this.namespaces.kept.keys()) this.queue.add(namespace);
  }

  private isMeant({ metadata: { name }, status }: RawObject): boolean {
    const { namespace: only } = this.options;
    const phase = z.object({ phase: z.string() }).safeParse(status).data?.phase;
    return !leftOut.has(name) && phase !== "Terminating" && (only === "" || only === name);
  }

  private async work(namespace: string, stop: AbortSignal): Promise<WorkOutcome> {
    const { options, namespaces, maps } = this;
    const roots = options.roots();
    // Until both are known, whatever is added is added again when they are.
    if (roots === "" || !namespaces.isListed || !maps.isListed || !namespaces.kept.has(namespace))
      return "done";
    const found = maps.kept.get(`${namespace}/${options.name}`);
    if (found === digest(roots, true)) return "done";
    await options.budget.take(stop);
    if (stop.aborted) return "done";
    try {
      await (found === undefined ? this.create(namespace, roots, stop) : this.repair(namespace, roots, stop));
      options.report.written(this.what);
      return "done";
    } catch (error) {
      return this.failed(error as Error, stop);
    }
  }

  private failed(error: Error, stop: AbortSignal): WorkOutcome {
    if (stop.aborted || isGoing(error)) return "done";
    return this.options.report.failed(this.what, error) === "refused" ? "refused" : "again";
  }

  private async create(namespace: string, roots: string, signal: AbortSignal): Promise<void> {
    const { api, name } = this.options;
    const object = { metadata: { name, namespace, labels: label }, data: { [rootKey]: roots } };
    await api.send("POST", collectionPath(namespace), object, { signal, idleMs });
  }

  /** Whatever else stands in it stays. */
  private async repair(namespace: string, roots: string, signal: AbortSignal): Promise<void> {
    const { api, name } = this.options;
    const path = `${collectionPath(namespace)}/${name}`;
    const { metadata, data, ...rest } = mapSchema.parse(await api.getJson(path, { signal, idleMs }));
    const labels = { ...metadata.labels, ...label };
    const object = { ...rest, metadata: { ...metadata, labels }, data: { ...data, [rootKey]: roots } };
    await api.send("PUT", path, object, { signal, idleMs });
  }
}

const collectionPath = (namespace: string): string => `/api/v1/namespaces/${namespace}/configmaps`;

function digestOf({ metadata, data }: RawObject): string {
  const { data: map } = mapSchema.safeParse({ metadata, data });
  const isLabelled = Object.entries(label).every(([key, value]) => map?.metadata.labels?.[key] === value);
  return digest(map?.data?.[rootKey] ?? "", isLabelled);
}

const digest = (roots: string, isLabelled: boolean): string =>
  `${createHash("sha256").update(roots).digest("base64")} ${isLabelled}`;

/** A namespace that is gone, or is being taken down, gets nothing any more. */
const isGoing = (error: Error): boolean =>
  error instanceof ApiError &&
  (error.status === 404 || (error.status === 403 && error.message.includes("is being terminated")));
