import type { KnownObject, Problem } from "@keelson/model";
import type { ConfigSource, SourceEvents, SourceHealth, SourceSnapshot } from "../config-source.ts";
import { Rest } from "../rest.ts";
import { ApiServer } from "./api-server.ts";
import type { KubeConfig } from "./kube-config.ts";
import { type CollectionState, ListWatch, type ListWatchTiming } from "./list-watch.ts";
import { ObjectStore } from "./object-store.ts";
import { project } from "./projection.ts";
import { type Resource, resources } from "./resources.ts";

export interface KubernetesSourceOptions {
  /** How the API server is reached, and as whom. */
  readonly config: KubeConfig;
  /** What is read; default: everything. */
  readonly roles?: readonly Resource["role"][];
  /** The only namespace that is read; empty: all. */
  readonly namespace?: string;
  /** Rules that are labelled with another revision are left out. */
  readonly revision: string;
  readonly timing?: Partial<ListWatchTiming>;
  /** A change is told after this time, with all that came meanwhile, or when the rest after the one before is over; default 1 ms. */
  readonly gatherMs?: number;
}

interface Followed {
  readonly resource: Resource;
  readonly store: ObjectStore;
  readonly listWatch: ListWatch;
}

/** Objects of a Kubernetes API server: what the model reads of them, and no more. */
export class KubernetesSource implements ConfigSource {
  /** Of the API server. */
  readonly url: string;
  private readonly followed: readonly Followed[];
  private readonly listeners: ((snapshot: SourceSnapshot) => void)[] = [];
  private readonly stop = new AbortController();
  private readonly gatherMs: number;
  private readonly rest = new Rest();
  private current: SourceSnapshot = { objects: [], problems: [] };
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<unknown> = Promise.resolve();
  private started: (() => void) | undefined;

  constructor(options: KubernetesSourceOptions) {
    const { roles = ["registry", "rules"], gatherMs = 1 } = options;
    this.gatherMs = gatherMs;
    const api = new ApiServer(options.config);
    this.url = api.url;
    this.followed = resources
      .filter(({ role }) => roles.includes(role))
      .map((resource) => this.follow(resource, api, options));
  }

  get snapshot(): SourceSnapshot {
    return this.current;
  }

  get health(): SourceHealth {
    const waiting = this.followed.filter(({ resource, listWatch }) => isMissing(resource, listWatch.state));
    const failing = this.followed.filter(({ listWatch }) => listWatch.trouble !== "");
    return {
      waiting: Object.fromEntries(
        waiting.map(({ resource, listWatch }) => [nameOf(resource), whyMissing(listWatch)]),
      ),
      failing: Object.fromEntries(
        failing.map(({ resource, listWatch }) => [nameOf(resource), listWatch.trouble]),
      ),
    };
  }

  get events(): readonly SourceEvents[] {
    return this.followed.flatMap(({ resource: { role, kind }, store }) =>
      [...store.events].map(([event, count]) => ({ role, kind, event, count })),
    );
  }

  onChange(listener: (snapshot: SourceSnapshot) => void): void {
    this.listeners.push(listener);
  }

  /** Ends when all that is essential has been listed, however long the API server takes. */
  async start(): Promise<void> {
    const complete = new Promise<void>((resolve) => {
      this.started = resolve;
    });
    this.running = Promise.all(this.followed.map(({ listWatch }) => listWatch.run()));
    await complete;
  }

  async close(): Promise<void> {
    this.stop.abort();
    clearTimeout(this.timer);
    this.started?.();
    await this.running;
  }

  private follow(resource: Resource, api: ApiServer, options: KubernetesSourceOptions): Followed {
    const revision = resource.role === "rules" ? options.revision : undefined;
    const store = new ObjectStore(
      (collection, item) => project({ kind: resource.kind, revision }, collection, item),
      () => this.note(),
    );
    const listWatch = new ListWatch({
      api,
      collections: resource.collections,
      namespaced: resource.namespaced,
      namespace: options.namespace ?? "",
      sink: store,
      signal: this.stop.signal,
      ...(options.timing === undefined ? {} : { timing: options.timing }),
      onCondition: () => this.note(),
    });
    return { resource, store, listWatch };
  }

  private note(): void {
    if (this.stop.signal.aborted || this.timer !== undefined) return;
    this.timer = setTimeout(() => this.publish(), Math.max(this.gatherMs, this.rest.left));
  }

  private publish(): void {
    this.timer = undefined;
    // Nothing is said of a mesh that is known in part: nodes would drop what they hold.
    if (this.started !== undefined && Object.keys(this.health.waiting).length > 0) return;
    const next = this.take();
    const isFirst = this.started !== undefined;
    if (!isFirst && isSame(this.current, next)) return;
    this.current = next;
    this.rest.after(() => {
      for (const listener of this.listeners) listener(next);
    });
    this.started?.();
    this.started = undefined;
  }

  private take(): SourceSnapshot {
    return {
      objects: ([] as KnownObject[]).concat(...this.followed.map(({ store }) => store.objects)),
      problems: this.followed.flatMap(({ store, listWatch }) => [
        ...listWatch.refusals.map(refusalProblem),
        ...store.problems,
      ]),
    };
  }
}

const nameOf = ({ collections: [{ plural, group }] }: Resource): string =>
  `kubernetes ${group === "" ? plural : `${plural}.${group}`}`;

/** A rule that is not served is no rule; a mesh without its services is no mesh. */
const isMissing = ({ essential }: Resource, state: CollectionState): boolean =>
  state === "waiting" || (essential && state !== "synced");

function whyMissing({ state, refusals, trouble }: ListWatch): string {
  if (trouble !== "") return trouble;
  if (state === "denied") return refusals.join("; ");
  return state === "absent" ? "the API server does not serve the kind" : "the list has not been read yet";
}

const refusalProblem = (message: string): Problem => ({
  severity: "warning",
  message,
  object: "",
  field: "",
  location: { file: "kubernetes" },
});

const isSame = (a: SourceSnapshot, b: SourceSnapshot): boolean =>
  a.objects.length === b.objects.length &&
  a.objects.every((object, i) => object === b.objects[i]) &&
  JSON.stringify(a.problems) === JSON.stringify(b.problems);
