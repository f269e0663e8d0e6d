// npm run e2e -- node: what a node's agent does for the kubelet's pods, with many of them.
import { longRun, wholeNumber } from "../long-run.ts";
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

process.exitCode = await longRun({
  usage,
  options: {
    lanes: { type: "string", default: "6" },
    rounds: { type: "string", default: "30" },
    alone: { type: "boolean", default: false },
  },
  async run(given) {
    const scale = {
      lanes: wholeNumber("lanes", given.lanes),
      rounds: wholeNumber("rounds", given.rounds),
      crashes: 3,
      alone: given.alone,
    };
    return (await runNodeScenarios("nodelong", scale)) === 0;
  },
});
