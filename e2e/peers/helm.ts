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

/** Runs helm in a namespace of a cluster. @returns what it said; the function throws what it said if it does not end with 0 */
export const helmIn =
  (namespace: string, kubeconfig: string) =>
  async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await runHelm([...args, `--namespace=${namespace}`], { kubeconfig });
    if (code !== 0) throw new Error(`helm ${args[0]} ended with ${code}: ${stderr || stdout}`);
    return stdout;
  };
