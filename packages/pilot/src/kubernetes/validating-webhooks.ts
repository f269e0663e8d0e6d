import { createHash } from "node:crypto";
import { ApiError, type ApiServer, type RawObject } from "@keelson/sources";
import { z } from "zod";
import { alwaysReject } from "../admission/validate.ts";
import { KeptObjects } from "./kept-objects.ts";
import { type WorkOutcome, WorkQueue } from "./work-queue.ts";
import type { WriteBudget } from "./write-budget.ts";
import type { WriteReport } from "./write-report.ts";

export interface ValidatingWebhooksOptions {
  readonly api: ApiServer;
  /** Of the control plane. */
  readonly namespace: string;
  readonly revision: string;
  /** PEM of the roots by which the API server checks our certificate. */
  readonly roots: () => string;
  readonly budget: WriteBudget;
  readonly report: WriteReport;
}

const what = "ValidatingWebhookConfiguration";
const collection = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const revisionLabel = "istio.io/rev";
const idleMs = 30_000;

const webhook = z.looseObject({
  failurePolicy: z.string().optional(),
  clientConfig: z.looseObject({ caBundle: z.string().default("") }),
});
const configuration = z.looseObject({
  metadata: z.looseObject({ labels: z.record(z.string(), z.string()).default({}) }),
  webhooks: z.array(webhook).default([]),
});
type Configuration = z.output<typeof configuration>;

/**
 * Lets the API server reach /validate: keeps the roots in all configurations of our revision, and has what cannot be
 * checked refused once it is sure that the check works (failurePolicy Fail). Each replica does so, as with istiod: all say
 * the same, and who comes second finds nothing to do.
 */
export class ValidatingWebhooks {
  private readonly options: ValidatingWebhooksOptions;
  /** Name → what of it is ours to keep. */
  private readonly kept: KeptObjects<string>;
  private readonly queue = new WorkQueue({ backoffMs: 500 });
  private isReached = false;

  constructor(options: ValidatingWebhooksOptions) {
    this.options = options;
    const { api, revision, report } = options;
    this.kept = new KeptObjects<string>({
      api,
      collection: {
        group: "admissionregistration.k8s.io",
        version: "v1",
        plural: "validatingwebhookconfigurations",
        labelSelector: `${revisionLabel}=${revision}`,
      },
      namespaced: false,
      keep: stateOf,
      onChange: (name) => this.queue.add(name),
      report,
    });
  }

  /** Writes until told to stop. */
  async run(stop: AbortSignal): Promise<void> {
    await Promise.all([this.kept.run(stop), this.queue.run((name) => this.work(name, stop), stop)]);
  }

  /** Has all configurations looked at again. */
  rootsChanged(): void {
    for (const name of this.kept.kept.keys()) this.queue.add(name);
  }

  private async work(name: string, stop: AbortSignal): Promise<WorkOutcome> {
    const { options, kept } = this;
    const state = kept.kept.get(name);
    const bundle = Buffer.from(options.roots(), "utf8").toString("base64");
    if (state === undefined || isRight(state, bundle, true)) return "done";
    try {
      const isReached = await this.reaches(stop);
      if (isRight(state, bundle, isReached)) return isReached ? "done" : "again";
      await options.budget.take(stop);
      if (stop.aborted) return "done";
      await this.write(name, bundle, stop);
      options.report.written(what);
      return isReached ? "done" : "again";
    } catch (error) {
      if (stop.aborted || (error instanceof ApiError && error.status === 404)) return "done";
      return options.report.failed(what, error as Error) === "refused" ? "refused" : "again";
    }
  }

  private async write(name: string, caBundle: string, signal: AbortSignal): Promise<void> {
    const { api, revision } = this.options;
    const path = `${collection}/${name}`;
    const found: Configuration = configuration.parse(await api.getJson(path, { signal, idleMs }));
    if (found.metadata.labels[revisionLabel] !== revision) return;
    const webhooks = found.webhooks.map((one) => ({
      ...one,
      clientConfig: { ...one.clientConfig, caBundle },
      ...(this.isReached && { failurePolicy: "Fail" }),
    }));
    await api.send("PUT", path, { ...found, webhooks }, { signal, idleMs });
  }

  /** Whether the API server is known to ask us: by an object that we refuse, and that nobody would ever keep. */
  private async reaches(signal: AbortSignal): Promise<boolean> {
    const { api, namespace, revision } = this.options;
    if (this.isReached) return true;
    const path = `/apis/networking.istio.io/v1/namespaces/${namespace}/gateways?dryRun=All`;
    const metadata = {
      name: "invalid-gateway",
      namespace,
      labels: { [revisionLabel]: revision },
      annotations: { [alwaysReject]: "true" },
    };
    const gateway = { apiVersion: "networking.istio.io/v1", kind: "Gateway", metadata, spec: {} };
    try {
      await api.send("POST", path, gateway, { signal, idleMs });
    } catch (error) {
      this.isReached = saysThatItWasAsked(error);
      if (this.isReached) this.rootsChanged();
    }
    return this.isReached;
  }
}

/** Also where there is nothing to ask about, or another webhook takes no part in dry runs: nothing more is to be found out. */
const saysThatItWasAsked = (error: unknown): boolean =>
  error instanceof ApiError &&
  (error.status === 404 || /denied the request|does not support dry run/.test(error.message));

/** Of each webhook its policy, and a digest of its bundle. */
function stateOf({ metadata, webhooks }: RawObject): string {
  const { data } = configuration.safeParse({ metadata, webhooks });
  return (data?.webhooks ?? [])
    .map(({ failurePolicy = "Fail", clientConfig: { caBundle } }) => `${failurePolicy} ${digest(caBundle)}`)
    .join("\n");
}

function isRight(state: string, bundle: string, isReached: boolean): boolean {
  const wanted = digest(bundle);
  return state.split("\n").every((line) => {
    const [policy, found] = line.split(" ");
    return found === wanted && (policy === "Fail" || !isReached);
  });
}

const digest = (text: string): string => createHash("sha256").update(text).digest("base64");
