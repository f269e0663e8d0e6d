// npm run e2e -- install: the chart on a real API server, and what a kubelet would start of it from the built images: the
// control plane, a node's agent, and the pod of `helm test`; then today's istiod chart, and
// Istio 0.2.12's manifest, with our image. Everything is in a network namespace of its own.
import { spawnSync } from "node:child_process";
import { images, imageTag } from "../images/build-images.ts";
import { buildah } from "../images/storage.ts";
import { findProgram } from "../kernels/exec.ts";
import { missingPeers } from "../peers/peer-cache.ts";
import { runInstallation } from "./installation.ts";
import { runIstiodSwap } from "./istiod-swap.ts";
import { runPilotSwap } from "./pilot-swap.ts";

/** Set in the namespace, where every port is free. */
const insideVariable = "KEELSON_E2E_INSIDE";

async function whatIsMissing(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "containers are started as root";
  for (const name of ["buildah", "openssl"])
    if ((await findProgram(name)) === undefined) return `there is no ${name}`;
  for (const name of images) {
    if ((await buildah("images", "--quiet", "--filter", `reference=${imageTag(name)}`)) === "")
      return `image ${name} is not built; build it: npm run e2e -- images`;
  }
  return missingPeers("etcd", "kube-apiserver", "kubectl", "helm", "istiod");
}

async function main(): Promise<number> {
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
    await runInstallation(say);
    await runIstiodSwap(say);
    await runPilotSwap(say);
    return 0;
  } catch (error) {
    process.stderr.write(`${String(error)}\n`);
    return 1;
  }
}

process.exitCode = await main();
