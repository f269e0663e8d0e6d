import { defaultMesh } from "@keelson/model";
import { type ConfigMapText, type MeshContent, parseMeshConfig } from "@keelson/sources";
import type { MeshConfigFile } from "./mesh-config-file.ts";
import type { MeshSource } from "./mesh-source.ts";

export interface MeshConfigMapOptions {
  /** Counts where it is there. */
  readonly file: MeshConfigFile;
  readonly text: ConfigMapText;
  /** What messages call the ConfigMap. */
  readonly name: string;
  /** Suffix of Kubernetes' service names. */
  readonly domain: string;
}

/** The mesh configuration of a file, or where there is none, of a ConfigMap; without both, the defaults hold (as istiod). */
export class MeshConfigMap implements MeshSource {
  private readonly options: MeshConfigMapOptions;
  private read: MeshContent;

  constructor(options: MeshConfigMapOptions) {
    this.options = options;
    this.read = { mesh: defaultMesh(options.domain), problems: [] };
  }

  get content(): MeshContent {
    const { file } = this.options;
    return file.isThere ? file.content : this.read;
  }

  async start(onChange: () => void): Promise<void> {
    const { file, text } = this.options;
    await Promise.all([
      file.start(onChange),
      text.start(() => {
        this.take();
        onChange();
      }),
    ]);
    this.take();
  }

  async close(): Promise<void> {
    await Promise.all([this.options.file.close(), this.options.text.close()]);
  }

  private take(): void {
    const { domain, name, text } = this.options;
    const found = text.text;
    this.read =
      found === undefined
        ? { mesh: defaultMesh(domain), problems: this.refusal() }
        : parseMeshConfig(found, name, domain, this.read.mesh);
  }

  private refusal(): MeshContent["problems"] {
    const { text, name } = this.options;
    if (text.refusal === "") return [];
    const message = `${text.refusal}; the defaults count`;
    return [{ severity: "warning", message, object: "MeshConfig mesh", field: "", location: { file: name } }];
  }
}
