import { ApiError, type ApiServer, type RawObject } from "@keelson/sources";
import type { PipelineState } from "../../config/config-pipeline.ts";
import { KeptObjects } from "../kept-objects.ts";
import { type WorkOutcome, WorkQueue } from "../work-queue.ts";
import type { WriteBudget } from "../write-budget.ts";
import type { WriteReport } from "../write-report.ts";
import { GatewayApiState } from "./gateway-api-state.ts";
import { foundObject, type StatusForm, type StatusPlace, statusForms } from "./status-forms.ts";

export interface GatewayStatusOptions {
  readonly api: ApiServer;
  /** The only namespace whose objects are looked at; empty: all. */
  readonly namespace: string;
  /** Suffix of Kubernetes' service names. */
  readonly domain: string;
  /** Ours among the controllers that may write there. */
  readonly controller: string;
  /** The configuration as it stands. */
  readonly state: () => PipelineState | undefined;
  readonly budget: WriteBudget;
  readonly report: WriteReport;
}

const idleMs = 30_000;

/** Looks are gathered for this time, so that what is read of a change has become part of the state, too. */
const settleMs = 300;

/** After a change of the configuration all are looked at again, at most this often. */
const lookMs = 1_000;

const collectionPath = "/apis/gateway.networking.k8s.io/v1";

/** Says in the status of the Gateway API's objects what became of them: only where that is not said already. */
export class GatewayStatus {
  private readonly options: GatewayStatusOptions;
  private readonly queue = new WorkQueue();
  private readonly kinds: readonly { readonly form: StatusForm; readonly kept: KeptObjects<string> }[];
  private pending = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private lookTimer: NodeJS.Timeout | undefined;
  private judged: { readonly of: PipelineState; readonly by: GatewayApiState } | undefined;

  constructor(options: GatewayStatusOptions) {
    this.options = options;
    this.kinds = statusForms.map((form) => ({ form, kept: this.follow(form) }));
  }

  /** Writes until told to stop. */
  async run(stop: AbortSignal): Promise<void> {
    await Promise.all([
      ...this.kinds.map(({ kept }) => kept.run(stop)),
      this.queue.run((key) => this.work(key, stop), stop),
    ]);
    clearTimeout(this.timer);
    clearTimeout(this.lookTimer);
    this.timer = undefined;
    this.lookTimer = undefined;
    this.judged = undefined;
  }

  /** Has everything looked at again soon. */
  stateChanged(): void {
    this.lookTimer ??= setTimeout(() => {
      this.lookTimer = undefined;
      for (const { form, kept } of this.kinds) for (const name of kept.kept.keys()) this.note(form, name);
    }, lookMs).unref();
  }

  private follow(form: StatusForm): KeptObjects<string> {
    const { api, namespace, report } = this.options;
    const kept = new KeptObjects<string>({
      api,
      collection: { group: "gateway.networking.k8s.io", version: "v1", plural: form.plural },
      namespaced: form.namespaced,
      namespace,
      keep: (item) => JSON.stringify(partOf(item)),
      onChange: (name) => {
        if (kept.kept.has(name)) this.note(form, name);
      },
      report,
    });
    return kept;
  }

  private note({ plural }: StatusForm, name: string): void {
    this.pending.add(`${plural} ${name}`);
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      for (const key of this.pending) this.queue.add(key);
      this.pending = new Set();
    }, settleMs);
  }

  private async work(key: string, stop: AbortSignal): Promise<WorkOutcome> {
    const [plural = "", name = ""] = key.split(" ");
    const kind = this.kinds.find(({ form }) => form.plural === plural);
    const text = kind?.kept.kept.get(name);
    const state = this.current();
    if (kind === undefined || text === undefined || state === undefined) return "done";
    const { form } = kind;
    const known = foundObject.parse(JSON.parse(text));
    if (form.next(name, known, state, this.place()) === undefined) return "done";
    const what = `status of ${plural}`;
    try {
      if (await this.write(form, name, state, stop)) this.options.report.written(what);
      return "done";
    } catch (error) {
      if (stop.aborted || (error instanceof ApiError && error.status === 404)) return "done";
      return this.options.report.failed(what, error as Error) === "refused" ? "refused" : "again";
    }
  }

  /** @returns whether there was something to write */
  private async write(
    form: StatusForm,
    name: string,
    state: GatewayApiState,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { api, budget } = this.options;
    const path = pathOf(form, name);
    const found = foundObject.parse(await api.getJson(path, { signal, idleMs }));
    const status = form.next(name, found, state, this.place());
    if (status === undefined) return false;
    await budget.take(signal);
    if (signal.aborted) return false;
    await api.send("PUT", `${path}/status`, { ...found, status }, { signal, idleMs });
    return true;
  }

  private place(): StatusPlace {
    return { controller: this.options.controller, now: wholeSeconds(new Date()) };
  }

  private current(): GatewayApiState | undefined {
    const of = this.options.state();
    if (of === undefined) return undefined;
    if (this.judged?.of !== of) this.judged = { of, by: new GatewayApiState(of, this.options.domain) };
    return this.judged.by;
  }
}

function pathOf({ plural, namespaced }: StatusForm, name: string): string {
  if (!namespaced) return `${collectionPath}/${plural}/${name}`;
  const [namespace, own] = name.split("/");
  return `${collectionPath}/namespaces/${namespace}/${plural}/${own}`;
}

/** What of an object a status is about, and what it says. */
function partOf(item: RawObject): object {
  const { metadata, spec, status } = foundObject.parse(item);
  return {
    metadata: { generation: metadata.generation },
    spec: { controllerName: spec.controllerName },
    status,
  };
}

const wholeSeconds = (date: Date): string => `${date.toISOString().slice(0, -".000Z".length)}Z`;
