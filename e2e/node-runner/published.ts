import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { KubeApiserver } from "../peers/kube-apiserver.ts";

/** Istio's published manifests and examples; they stand beside a checkout, not in it. */
const folder = resolve(import.meta.dirname, "../../../shared/fixtures");

/** @param age "istio-0.2.12" */
export const published = (age: string, name: string): string => join(folder, age, name);

/** What of these is not there; undefined if all are. */
export const missingPublished = (...paths: readonly string[]): string | undefined =>
  paths.find((path) => !existsSync(path));

/** `kubectl apply` of a file as it is. */
export async function applyFile(apiserver: KubeApiserver, path: string): Promise<void> {
  await apiserver.kubectl(["apply", "--filename", path]);
}
