import { type Compiled, Compiler } from "@keelson/compiler";
import { type Credentials, type Model, ModelBuilder, type Problem } from "@keelson/model";
import type { ConfigSource, SourceSnapshot } from "@keelson/sources";
import type { MeshSource } from "./mesh-source.ts";

/** What stands in the source, and what follows from it. */
export interface PipelineState {
  readonly objects: SourceSnapshot["objects"];
  readonly model: Model;
  readonly compiled: Compiled;
  readonly credentials: Credentials;
  /** Of all steps. */
  readonly problems: readonly Problem[];
  /** Of the mesh configuration alone. */
  readonly meshProblems: readonly Problem[];
  /** When the change that led to it was taken up. */
  readonly takenAt: Date;
  /** Time from the change to this state, in seconds. */
  readonly seconds: number;
}

export interface ConfigPipelineOptions {
  readonly source: ConfigSource;
  /** Suffix of Kubernetes' service names. */
  readonly domain: string;
  /** If left out, the defaults hold. */
  readonly mesh?: MeshSource | undefined;
  /** Told of every new state, in their order. */
  readonly onState: (state: PipelineState) => void;
}

/** Source → model → IR: makes a new state of everything that depends on the configuration whenever that changes. */
export class ConfigPipeline {
  private readonly options: ConfigPipelineOptions;
  private readonly builder: ModelBuilder;
  private readonly compiler = new Compiler();
  private current: PipelineState | undefined;

  constructor(options: ConfigPipelineOptions) {
    this.options = options;
    this.builder = new ModelBuilder(options.domain);
  }

  /** Undefined until the configuration has been read. */
  get state(): PipelineState | undefined {
    return this.current;
  }

  /** Reads the configuration, and keeps following it. @throws Error if there is none to be read. */
  async start(): Promise<void> {
    const { source, mesh } = this.options;
    // Nothing is made of a source that has not been read: nodes would drop what they hold.
    await mesh?.start(() => {
      if (this.current !== undefined) this.take(source.snapshot);
    });
    source.onChange((snapshot) => this.take(snapshot));
    await source.start();
  }

  async close(): Promise<void> {
    await Promise.all([this.options.mesh?.close(), this.options.source.close()]);
  }

  private take({ objects, problems: sourceProblems }: SourceSnapshot): void {
    const takenAt = new Date();
    const begin = performance.now();
    const { mesh, problems: meshProblems = [] } = this.options.mesh?.content ?? {};
    const { model, credentials, problems: modelProblems } = this.builder.build(objects, mesh);
    const compiled = this.compiler.compile(model);
    const seconds = (performance.now() - begin) / 1000;
    const problems = [...meshProblems, ...sourceProblems, ...modelProblems, ...compiled.problems];
    this.current = { objects, model, compiled, credentials, problems, meshProblems, takenAt, seconds };
    this.options.onState(this.current);
  }
}
