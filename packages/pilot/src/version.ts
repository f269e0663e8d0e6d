import { readFileSync } from "node:fs";

/** What this program was built from; the field names are those of istiod's. */
export interface BuildInfo {
  /** As in the package. */
  readonly version: string;
  /** The commit; "unknown" outside a checkout. */
  readonly revision: string;
  /** Of Node's, in this program's case. */
  readonly golang_version: string;
  /** "Clean", "Modified" or "unknown". */
  readonly status: string;
  readonly tag: string;
}

function read(file: string): Readonly<Record<string, string>> {
  return JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8")) as Record<string, string>;
}

function revision(): { readonly revision: string; readonly status: string } {
  try {
    const { revision: commit = "unknown", status = "unknown" } = read("../gen/build-info.json");
    return { revision: commit, status };
  } catch {
    return { revision: "unknown", status: "unknown" };
  }
}

/** The version of this program, as in its package. */
export const programVersion = read("../package.json")["version"] ?? "unknown";

const { revision: commit, status } = revision();

export const buildInfo: BuildInfo = {
  version: programVersion,
  revision: commit,
  golang_version: `node${process.versions.node}`,
  status,
  tag: programVersion,
};

/** "version-revision-status", as Pilot says it; istioctl takes it apart at the dashes. */
export const buildText = `${buildInfo.version}-${buildInfo.revision}-${buildInfo.status}`;
