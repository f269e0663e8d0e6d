import { type Mesh, type Problem, readMeshConfig } from "@keelson/model";
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
 */
export function parseMeshConfig(text: string, file: string, domain: string): MeshContent {
  const { errors, value, locate } = parseYaml({ text, firstLine: 1 }, file);
  const { value: mesh, problems } = readMeshConfig(errors.length > 0 ? undefined : value, { locate }, domain);
  const ofText = errors.map(({ message, location }) => {
    const said = `${message}; the defaults count`;
    return { severity: "error", message: said, object: "MeshConfig mesh", field: "", location } as const;
  });
  return { mesh, problems: [...ofText, ...problems] };
}
