import type { ConfigSource, SourceEvents, SourceHealth, SourceSnapshot } from "./config-source.ts";

/** Several sources as one: nothing is told before all have been read. */
export class MergedSource implements ConfigSource {
  private readonly sources: readonly ConfigSource[];
  private readonly listeners: ((snapshot: SourceSnapshot) => void)[] = [];
  private current: SourceSnapshot = { objects: [], problems: [] };
  private complete = false;

  constructor(sources: readonly ConfigSource[]) {
    this.sources = sources;
    for (const source of sources) source.onChange(() => this.complete && this.publish());
  }

  get snapshot(): SourceSnapshot {
    return this.current;
  }

  get health(): SourceHealth {
    const all = this.sources.map(({ health }) => health);
    return {
      waiting: Object.assign({}, ...all.map(({ waiting }) => waiting)),
      failing: Object.assign({}, ...all.map(({ failing }) => failing)),
    };
  }

  get events(): readonly SourceEvents[] {
    return this.sources.flatMap(({ events }) => events);
  }

  onChange(listener: (snapshot: SourceSnapshot) => void): void {
    this.listeners.push(listener);
  }

  async start(): Promise<void> {
    await Promise.all(this.sources.map((source) => source.start()));
    this.complete = true;
    this.publish();
  }

  async close(): Promise<void> {
    await Promise.all(this.sources.map((source) => source.close()));
  }

  private publish(): void {
    const all = this.sources.map(({ snapshot }) => snapshot);
    this.current = {
      objects: all.flatMap(({ objects }) => objects),
      problems: all.flatMap(({ problems }) => problems),
    };
    for (const listener of this.listeners) listener(this.current);
  }
}
