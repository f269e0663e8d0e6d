import { createHash } from "node:crypto";
import { ApiError, type ApiServer, type RawObject } from "@keelson/sources";
import { z } from "zod";
import { KeptObjects } from "./kept-objects.ts";
import { type WorkOutcome, WorkQueue } from "./work-queue.ts";
import type { WriteBudget } from "./write-budget.ts";
import type { WriteReport } from "./write-report.ts";

export interface WebhookConfigurationsOptions {
  readonly api: ApiServer;
  readonly kind: "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration";
  readonly revision: string;
  /** PEM of the roots by which the API server checks our certificate. */
  readonly roots: () => string;
  /**
   * Whether the API server is known to reach us: only then is refused what it cannot ask us about (failurePolicy Fail).
   * Asked again as long as it is not. Undefined: that policy is not ours to say.
   */
  readonly isReached?: (signal: AbortSignal) => Promise<boolean>;
  readonly budget: WriteBudget;
  readonly report: WriteReport;
}

const group = "admissionregistration.k8s.io";
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

/**
 * Keeps the roots in all webhook configurations of one kind and our revision. Each replica does so, as with istiod: all
 * say the same, and who comes second finds nothing to do.
 */
export class WebhookConfigurations {
  private readonly options: WebhookConfigurationsOptions;
  private readonly plural: string;
  /** Name → what of it is ours to keep. */
  private readonly kept: KeptObjects<string>;
  private readonly queue = new WorkQueue({ backoffMs: 500 });

  constructor(options: WebhookConfigurationsOptions) {
    this.options = options;
    this.plural = `${options.kind.toLowerCase()}s`;
    const { api, revision, report } = options;
    this.kept = new KeptObjects<string>({
      api,
      collection: {
        group,
        version: "v1",
        plural: this.plural,
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
  lookAgain(): void {
    for (const name of this.kept.kept.keys()) this.queue.add(name);
  }

  private async work(name: string, stop: AbortSignal): Promise<WorkOutcome> {
    const { options, kept } = this;
    const { isReached = () => Promise.resolve(undefined) } = options;
    const state = kept.kept.get(name);
    const bundle = Buffer.from(options.roots(), "utf8").toString("base64");
    if (state === undefined || isRight(state, bundle, options.isReached !== undefined)) return "done";
    try {
      const reached = await isReached(stop);
      const after = reached === false ? "again" : "done";
      if (isRight(state, bundle, reached === true)) return after;
      await options.budget.take(stop);
      if (stop.aborted) return "done";
      await this.write(name, bundle, reached === true, stop);
      options.report.written(options.kind);
      return after;
    } catch (error) {
      if (stop.aborted || (error instanceof ApiError && error.status === 404)) return "done";
      return options.report.failed(options.kind, error as Error) === "refused" ? "refused" : "again";
    }
  }

  private async write(name: string, caBundle: string, fails: boolean, signal: AbortSignal): Promise<void> {
    const { api, revision } = this.options;
    const path = `/apis/${group}/v1/${this.plural}/${name}`;
    const found = configuration.parse(await api.getJson(path, { signal, idleMs }));
    if (found.metadata.labels[revisionLabel] !== revision) return;
    const webhooks = found.webhooks.map((one) => ({
      ...one,
      clientConfig: { ...one.clientConfig, caBundle },
      ...(fails && { failurePolicy: "Fail" }),
    }));
    await api.send("PUT", path, { ...found, webhooks }, { signal, idleMs });
  }
}

/** Of each webhook its policy, and a digest of its bundle. */
function stateOf({ metadata, webhooks }: RawObject): string {
  const { data } = configuration.safeParse({ metadata, webhooks });
  return (data?.webhooks ?? [])
    .map(({ failurePolicy = "Fail", clientConfig: { caBundle } }) => `${failurePolicy} ${digest(caBundle)}`)
    .join("\n");
}

function isRight(state: string, bundle: string, fails: boolean): boolean {
  const wanted = digest(bundle);
  return state.split("\n").every((line) => {
    const [policy, found] = line.split(" ");
    return found === wanted && (policy === "Fail" || !fails);
  });
}

const digest = (text: string): string => createHash("sha256").update(text).digest("base64");
