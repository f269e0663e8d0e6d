import { defaultMesh, type Mesh, type Problem, readMeshConfig } from "@keelson/model";
import { parseYaml } from "./yaml-documents.ts";

export interface MeshContent {
  readonly mesh: Mesh;
  /** What could not be read, and so counts as if it were not there. */
  readonly problems: readonly Problem[];
}

/**
 * Reads a mesh configuration file: one YAML document, as Istio's ConfigMap has it under the key "mesh".
 * @param file its path, for the places of problems
 * @param domain suffix of Kubernetes' service names
 * @param before what counts if the text is no YAML at all; the defaults if left out
 */
export function parseMeshConfig(text: string, file: string, domain: string, before?: Mesh): MeshContent {
  const { errors, value, locate } = parseYaml({ text, firstLine: 1 }, file);
  if (errors.length === 0) {
    const { value: mesh, problems } = readMeshConfig(value, { locate }, domain);
    return { mesh, problems };
  }
  const counts = before === undefined ? "the defaults count" : "what was there before counts";
  const problems = errors.map(({ message, location }) => {
    const said = `${message}; ${counts}`;
    return { severity: "error", message: said, object: "MeshConfig mesh", field: "", location } as const;
  });
  return { mesh: before ?? defaultMesh(domain), problems };
}
