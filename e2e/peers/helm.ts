import { requirePeer } from "./peer-cache.ts";
import { type RunOptions, type RunResult, runProgram } from "./run-program.ts";

/**
 * Runs helm to its end.
 * @param kubeconfig of the cluster it works on; `helm template` and the like need none
 * @throws Error if it is not set up; another exit code than 0 is the caller's to judge.
 */
export async function runHelm(
  args: readonly string[],
  { kubeconfig, ...options }: RunOptions & { readonly kubeconfig?: string } = {},
): Promise<RunResult> {
  const { program } = await requirePeer("helm");
  return runProgram(
    program,
    kubeconfig === undefined ? args : ["--kubeconfig", kubeconfig, ...args],
    options,
  );
}
