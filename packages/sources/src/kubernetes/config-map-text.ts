import { ApiServer } from "./api-server.ts";
import type { RawObject } from "./collection.ts";
import { fieldsOf } from "./fields.ts";
import type { KubeConfig } from "./kube-config.ts";
import { ListWatch, type ListWatchTiming } from "./list-watch.ts";

export interface ConfigMapTextOptions {
  /** How the API server is reached, and as whom. */
  readonly config: KubeConfig;
  readonly namespace: string;
  readonly name: string;
  /** Under which the text stands. */
  readonly key: string;
  readonly timing?: Partial<ListWatchTiming>;
}

/** A text in a ConfigMap, followed. */
export class ConfigMapText {
  private readonly options: ConfigMapTextOptions;
  private readonly stop = new AbortController();
  private readonly listWatch: ListWatch;
  private running: Promise<void> = Promise.resolve();
  private onChange: () => void = () => undefined;
  private current: string | undefined;
  private listed: string | undefined;

  constructor(options: ConfigMapTextOptions) {
    this.options = options;
    const { config, name, namespace, timing } = options;
    this.listWatch = new ListWatch({
      api: new ApiServer(config),
      collections: [
        { group: "", version: "v1", plural: "configmaps", fieldSelector: `metadata.name=${name}` },
      ],
      namespaced: true,
      namespace,
      sink: {
        beginList: () => {
          this.listed = undefined;
        },
        page: (_, items) => {
          for (const item of items) this.listed = this.textOf(item);
        },
        endList: () => this.take(this.listed),
        set: (_, item) => this.take(this.textOf(item)),
        remove: () => this.take(undefined),
        clear: () => this.take(undefined),
      },
      signal: this.stop.signal,
      ...(timing === undefined ? {} : { timing }),
      onCondition: () => this.onChange(),
    });
  }

  /** Undefined if there is none. */
  get text(): string | undefined {
    return this.current;
  }

  /** Why it may not be read; empty if it may. */
  get refusal(): string {
    return this.listWatch.refusals.join("; ");
  }

  /** Reads it, however long the API server takes, and keeps following it. @param onChange told after every change */
  async start(onChange: () => void): Promise<void> {
    const known = new Promise<void>((resolve) => {
      this.onChange = () => {
        if (this.listWatch.state !== "waiting" || this.stop.signal.aborted) resolve();
      };
    });
    this.running = this.listWatch.run();
    await known;
    this.onChange = onChange;
  }

  async close(): Promise<void> {
    this.stop.abort();
    this.onChange();
    await this.running;
  }

  private textOf(item: RawObject): string | undefined {
    const text = fieldsOf(item["data"])[this.options.key];
    return typeof text === "string" ? text : undefined;
  }

  private take(text: string | undefined): void {
    if (text === this.current) return;
    this.current = text;
    this.onChange();
  }
}
