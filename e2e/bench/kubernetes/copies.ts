import { randomUUID } from "node:crypto";
import type { KubeApiserver } from "../../peers/kube-apiserver.ts";

export interface StoredObject {
  readonly metadata: object;
  readonly [field: string]: unknown;
}

/** An object as the API server has stored it, with all that it and its clients have added. */
export async function stored(apiserver: KubeApiserver, what: string): Promise<StoredObject> {
  const text = await apiserver.kubectl(["get", what, "--output=json", "--show-managed-fields"]);
  const { metadata, ...rest } = JSON.parse(text) as { metadata: { resourceVersion?: string } };
  // etcd's count of changes, which is not stored.
  const { resourceVersion: _, ...kept } = metadata;
  return { ...rest, metadata: kept };
}

/**
 * Text of another object like it, as it may stand in etcd: a cluster is made in a minute so, where the API server would
 * take an hour for what all its admission and validation comes to each time.
 */
export function copyOf(original: StoredObject, name: string, changes: StoredObject): string {
  const { metadata, ...rest } = changes;
  return JSON.stringify({
    ...original,
    ...rest,
    metadata: { ...original.metadata, ...metadata, name, uid: randomUUID() },
  });
}
