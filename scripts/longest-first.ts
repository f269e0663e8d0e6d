import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Test files that take longer than others, longest first, by how their paths end. Vitest knows no times before a first run, and
 * one that begins last keeps all waiting for it.
 */
const long = [
  "packages/pilot/src/program/discovery.test.ts",
  "packages/cli/src/running.test.ts",
  "packages/xds/src/envoy/random-meshes.test.ts",
  "e2e/tests/requests.test.ts",
  "e2e/tests/taken-requests.test.ts",
  "e2e/tests/connect-tier.test.ts",
  "e2e/tests/relay-home.test.ts",
  "e2e/tests/kubernetes.test.ts",
  "e2e/tests/peers.test.ts",
  "e2e/tests/envoy-following.test.ts",
  "e2e/tests/conformance.test.ts",
  "e2e/tests/demo.test.ts",
  "e2e/tests/bench.test.ts",
  "e2e/tests/replicas.test.ts",
  "e2e/tests/relay-policy.test.ts",
  "e2e/tests/clients.test.ts",
  "e2e/tests/kubernetes-writes.test.ts",
  "e2e/tests/kubernetes-root.test.ts",
  "e2e/tests/istioctl.test.ts",
  "e2e/tests/torture.test.ts",
  "e2e/tests/node.test.ts",
  "e2e/tests/grpc.test.ts",
  "e2e/tests/ca.test.ts",
  "e2e/tests/helm.test.ts",
  "e2e/tests/mixed.test.ts",
  "e2e/tests/observe.test.ts",
  "e2e/tests/envoy-acceptance.test.ts",
  "e2e/tests/crds.test.ts",
  "e2e/tests/relay-envoy.test.ts",
];

/** Vitest's order, but for those that are known to be long. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = long.findIndex((path) => moduleId.endsWith(path));
      return index === -1 ? long.length : index;
    };
    const groupOf = ({ project }: TestSpecification): number => project.config.sequence.groupOrder;
    return sorted.sort((a, b) => groupOf(a) - groupOf(b) || rank(a) - rank(b));
  }
}
