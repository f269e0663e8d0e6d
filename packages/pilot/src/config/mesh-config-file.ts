import { defaultMesh } from "@keelson/model";
import { type MeshContent, parseMeshConfig } from "@keelson/sources";
import { type FileTexts, WatchedFiles, type WatchedFilesOptions } from "../ca/watched-files.ts";
import type { MeshSource } from "./mesh-source.ts";

export interface MeshConfigFileOptions {
  readonly path: string;
  /** Suffix of Kubernetes' service names. */
  readonly domain: string;
  readonly watching?: WatchedFilesOptions;
}

/** The mesh configuration of a file. Without the file, the defaults hold; a file that cannot be read changes nothing. */
export class MeshConfigFile implements MeshSource {
  private readonly options: MeshConfigFileOptions;
  private readonly files: WatchedFiles;
  private current: MeshContent;
  private there = false;

  constructor(options: MeshConfigFileOptions) {
    this.options = options;
    this.files = new WatchedFiles([options.path], options.watching);
    this.current = { mesh: defaultMesh(options.domain), problems: [] };
  }

  get content(): MeshContent {
    return this.current;
  }

  /** Whether there is such a file, be it one that cannot be read. */
  get isThere(): boolean {
    return this.there;
  }

  /** Reads the file, and keeps following it. @param onChange told after every change of `content` but for the first reading */
  async start(onChange: () => void): Promise<void> {
    const texts = await this.files.read().catch((error: Error) => {
      this.fail(error);
      return new Map<string, string>();
    });
    if (texts.size > 0) this.take(texts);
    this.files.follow(
      texts,
      async (changed) => {
        this.take(changed);
        onChange();
      },
      (error) => {
        if (this.fail(error)) onChange();
      },
    );
  }

  async close(): Promise<void> {
    await this.files.close();
  }

  private take(texts: FileTexts): void {
    const { path, domain } = this.options;
    const text = texts.get(path);
    this.there = text !== undefined;
    this.current =
      text === undefined
        ? { mesh: defaultMesh(domain), problems: [] }
        : parseMeshConfig(text, path, domain, this.current.mesh);
  }

  /** @returns whether that is news: it is said again at every look */
  private fail({ message }: Error): boolean {
    this.there = true;
    const { mesh, problems } = this.current;
    const said = `cannot be read: ${message}; what was there before counts`;
    if (problems.some((known) => known.message === said)) return false;
    const location = { file: this.options.path };
    const problem = {
      severity: "error",
      message: said,
      object: "MeshConfig mesh",
      field: "",
      location,
    } as const;
    this.current = { mesh, problems: [problem] };
    return true;
  }
}
