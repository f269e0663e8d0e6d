// npm run e2e -- NAME …: whole-system runs that are no tests of this machine alone.
import { join } from "node:path";
import { follow } from "../scripts/follow.mjs";

const runs: Readonly<Record<string, { readonly program: string; readonly what: string }>> = {
  clients: {
    program: "clients/main.ts",
    what: "unchanged clients and servers of six languages and programs, natively and by rules",
  },
  conformance: {
    program: "conformance/main.ts",
    what: "whether a server speaks xDS as istiod does: ours, istiod, or one of yours",
  },
  envoy: { program: "envoy/main.ts", what: "real Envoys of all kinds take hundreds of meshes" },
  "bad-input": {
    program: "bad-input/main.ts",
    what: "bad input of every kind against the control plane, in full size",
  },
  images: {
    program: "images/main.ts",
    what: "builds both images on a base made by debootstrap, and looks at them",
  },
  install: {
    program: "node-runner/main.ts",
    what: "on a real API server and under calls: the chart from install to uninstall, swaps of Pilot's and istiod's image",
  },
  kubernetes: {
    program: "kubernetes/main.ts",
    what: "a real API server that is slow, cut off, killed and compacted under thousands of changes and steady traffic",
  },
  kernels: { program: "kernels/main.ts", what: "the kernel tests on other kernels, in QEMU" },
  "kernel-behaviour": {
    program: "kernel-behaviour/main.ts",
    what: "what kernels do with redirected sockets, compared with what is recorded of them",
  },
  replicas: {
    program: "replicas/main.ts",
    what: "one of two replicas is killed, one ends in order: how long streams and locks wait",
  },
  node: {
    program: "node/main.ts",
    what: "pods come and go in cgroups of every kubelet's layout: the node's agent, crashes, uninstalls",
  },
  "relay-deaths": {
    program: "relay-deaths/main.ts",
    what: "the node's relay is killed a hundred times under load: what is lost, and that nothing else is",
  },
  "relay-envoy": {
    program: "relay-envoy/main.ts",
    what: "the relay's scenarios on a node whose relay is an Envoy",
  },
  "relay-policy": {
    program: "relay-policy/main.ts",
    what: "what the relay, or with --node the kernel, makes of requests under generated rules, beside a real Envoy",
  },
  requests: {
    program: "requests/main.ts",
    what: "requests on native connections: what the kernel counts is what the server saw, through crashes and uninstalls",
  },
  torture: {
    program: "torture/main.ts",
    what: "all that callers and servers may do to connections, while rules, endpoints, relay and agent change under them",
  },
  setup: {
    program: "peers/setup.ts",
    what: "brings the peers that tests talk to: Envoy, istiod, Kubernetes, gRPC",
  },
};

const [name = "", ...rest] = process.argv.slice(2);
const run = Object.hasOwn(runs, name) ? runs[name] : undefined;
if (run === undefined) {
  const help = name === "--help" || name === "-h";
  const lines = Object.entries(runs).map(([known, { what }]) => `  ${known}  ${what}\n`);
  const wrong = help || name === "" ? "" : `there is no run "${name}"\n`;
  (help ? process.stdout : process.stderr).write(
    `${wrong}usage: npm run e2e -- NAME [arguments]\n\n${lines.join("")}`,
  );
  process.exit(help ? 0 : 2);
}

process.exitCode = await follow(process.execPath, [join(import.meta.dirname, run.program), ...rest]);
