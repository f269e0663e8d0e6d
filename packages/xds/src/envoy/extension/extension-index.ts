import type { Extension } from "@keelson/protos/proxy";
import { includesLabels } from "../hosts.ts";
import type { ProxyNode } from "../proxy-node.ts";
import { extensionConfig, isFile } from "./extension-config.ts";

/** An extension as a proxy uses it. Plain data. */
export interface ExtensionUse {
  /** Of the resource that says what it is. */
  readonly name: string;
  /** Of that resource: another one says something else. */
  readonly version: string;
  readonly phase: Extension["phase"];
  readonly forClients: boolean;
  readonly forServers: boolean;
}

/** Which extensions a proxy uses: those of its namespace and of the root namespace that are for its labels. */
export class ExtensionIndex {
  private readonly byNamespace: ReadonlyMap<string, readonly Extension[]>;
  private readonly rootNamespace: string;

  /** @param extensions in the order in which requests pass through those of one phase */
  constructor(extensions: Iterable<Extension>, rootNamespace: string) {
    this.byNamespace = Map.groupBy(extensions, ({ namespace }) => namespace);
    this.rootNamespace = rootNamespace;
  }

  usedBy({ namespace, metadata }: ProxyNode, labels: Readonly<Record<string, string>>): ExtensionUse[] {
    if (this.byNamespace.size === 0) return [];
    return (
      [...new Set([namespace, this.rootNamespace])]
        .flatMap((each) => this.byNamespace.get(each) ?? [])
        .filter((extension) => includesLabels(labels, extension.workloadLabels))
        // What is not a file on its machine, only an agent fetches.
        .filter((extension) => metadata.agent || isFile(extension))
        .sort((a, b) => b.priority - a.priority)
        .map((extension) => {
          const { name, version } = extensionConfig(extension);
          const { phase, forClients, forServers } = extension;
          return { name, version, phase, forClients, forServers };
        })
    );
  }

  /** What an extension is. */
  config(name: string): ReturnType<typeof extensionConfig> | undefined {
    const all = [...this.byNamespace.values()].flat();
    return all.map(extensionConfig).find((config) => config.name === name);
  }
}
