import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { isInCluster } from "@keelson/sources";

/**
 * The kubeconfig that kubectl would take: the one asked for, of KUBECONFIG the first that exists, the one at home; empty: the
 * cluster that the program runs in.
 * @returns undefined where there is none of these
 */
export function findCluster(
  asked: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
  home = homedir(),
): string | undefined {
  if (asked !== undefined) return asked;
  const named = (environment["KUBECONFIG"] ?? "").split(delimiter).filter((path) => path !== "");
  const candidates = named.length > 0 ? named : [join(home, ".kube", "config")];
  return candidates.find((path) => existsSync(path)) ?? (isInCluster(environment) ? "" : undefined);
}
