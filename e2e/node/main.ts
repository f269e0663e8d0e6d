// npm run e2e -- node: what a node's agent does for the kubelet's pods, with many of them.
import { parseArgs } from "node:util";
import { missingForKernel } from "../world/requirements.ts";
import { runNodeScenarios } from "./run.ts";

const usage = `usage: npm run e2e -- node [options]

Pods come and go in cgroups of every layout that kubelets and container runtimes make, under load, with the real control plane
and the real agent of a node: who is decided for and who is left alone, agents that are away, crashes, uninstalls.

  --lanes N    pods that come and go at the same time (default: 6)
  --rounds N   how often (default: 30)
  --alone      nobody else loads programs on this machine meanwhile: all of the kernel's lists must be as before;
               else what is new in them and others neither hold nor have pinned
  --help       this text
`;

const { values } = parseArgs({
  options: {
    lanes: { type: "string", default: "6" },
    rounds: { type: "string", default: "30" },
    alone: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const missing = await missingForKernel();
  if (missing.length > 0) {
    process.stderr.write(`this machine lacks ${missing.join("; ")}\n`);
    return 1;
  }
  const scale = {
    lanes: Number(values.lanes),
    rounds: Number(values.rounds),
    crashes: 3,
    alone: values.alone,
  };
  return (await runNodeScenarios("nodelong", scale)) === 0 ? 0 : 1;
}

process.exitCode = await main();
