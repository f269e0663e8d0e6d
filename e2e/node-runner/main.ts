// npm run e2e -- install [NAME …]: on a real API server, and with what a kubelet would start from the built images:
// "chart", ours, with the control plane, a node's agent and the pod of `helm test`; "istiod", today's chart, and "pilot",
// Istio 0.2.12's manifest, each with only the image changed, and traffic that a rule moves. All three without a name.
// Everything is in a network namespace of its own.
import { spawnSync } from "node:child_process";
import { images, imageTag } from "../images/build-images.ts";
import { buildah } from "../images/storage.ts";
import { findProgram } from "../kernels/exec.ts";
import { missingPeers } from "../peers/peer-cache.ts";
import { missingForKernel } from "../world/requirements.ts";
import { runInstallation } from "./installation.ts";
import { runIstiodSwap } from "./istiod-swap.ts";
import { runPilotSwap } from "./pilot-swap.ts";

/** Each with a world of its own name. */
const runs: Readonly<Record<string, (say: (line: string) => void) => Promise<void>>> = {
  chart: runInstallation,
  istiod: runIstiodSwap,
  pilot: runPilotSwap,
};

/** Set in the namespace, where every port is free. */
const insideVariable = "KEELSON_E2E_INSIDE";

async function whatIsMissing(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "containers are started as root";
  if ((await findProgram("buildah")) === undefined) return "there is no buildah";
  for (const name of images) {
    if ((await buildah("images", "--quiet", "--filter", `reference=${imageTag(name)}`)) === "")
      return `image ${name} is not built; build it: npm run e2e -- images`;
  }
  const [forKernel] = await missingForKernel();
  return forKernel ?? missingPeers("etcd", "kube-apiserver", "kubectl", "helm", "istiod", "envoy", "grpc-go");
}

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.find((name) => !Object.hasOwn(runs, name));
  if (unknown !== undefined) {
    process.stderr.write(`there is no "${unknown}", only ${Object.keys(runs).join(", ")}\n`);
    return 2;
  }
  if (process.env[insideVariable] === undefined) {
    const missing = await whatIsMissing();
    if (missing !== undefined) {
      process.stderr.write(`${missing}\n`);
      return 2;
    }
    const script = 'ip link set lo up && exec "$@"';
    const again = [process.execPath, ...process.argv.slice(1)];
    const environment = { ...process.env, [insideVariable]: "1" };
    const args = ["--net", "sh", "-c", script, "inside", ...again];
    return spawnSync("unshare", args, { stdio: "inherit", env: environment }).status ?? 1;
  }
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  try {
    for (const [name, run] of Object.entries(runs))
      if (names.length === 0 || names.includes(name)) await run(say);
    return 0;
  } catch (error) {
    process.stderr.write(`${String(error)}\n`);
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
