// Real Envoys take what generated meshes and Istio's samples come to; `npm run e2e -- envoy` is the long form.
import { describe, expect, test } from "vitest";
import { acceptAll, type Fault } from "../envoy/acceptance/acceptance.ts";
import { fixtureMeshes, fixturesAreThere } from "../envoy/acceptance/fixtures.ts";
import { proxyKinds } from "../envoy/acceptance/kinds.ts";
import { generatedMeshes, hardMeshes } from "../envoy/acceptance/meshes.ts";
import { seededFaults } from "../envoy/acceptance/seeded-faults.ts";
import { missingPeers } from "../peers/peer-cache.ts";
import { missingForAlone } from "../peers/peer-process.ts";
import { adsVariants } from "../peers/plain-envoy.ts";

const variants = adsVariants.map(([, variant]) => variant);

/** Skips with a reason, where there is one. */
async function whyNot(): Promise<string | undefined> {
  return (await missingPeers("envoy")) ?? missingForAlone();
}

const samples = "Istio's published samples do not stand beside this checkout";

const acceptanceTest = (title: string, body: () => Promise<void>, reasons = whyNot): void =>
  test(title, async ({ skip }) => {
    const reason = await reasons();
    skip(reason !== undefined, reason);
    await body();
  });

acceptanceTest("Envoys of all kinds take one generated mesh after the other", async () => {
  const meshes = [...generatedMeshes(82, 2), ...hardMeshes];
  const options = { kinds: proxyKinds, variants, freshEvery: meshes.length };
  expect(await acceptAll(meshes, options)).toEqual([]);
});

acceptanceTest(
  "Envoys take Istio's samples",
  async () => {
    const options = { kinds: ["sidecar", "router"], variants: ["DELTA_GRPC"], freshEvery: 0 } as const;
    expect(await acceptAll(fixtureMeshes(), options)).toEqual([]);
  },
  async () => (fixturesAreThere() ? whyNot() : samples),
);

describe("what is wrong is found:", () => {
  for (const { title, alter, signs } of seededFaults)
    acceptanceTest(title, async () => {
      const options = {
        kinds: ["plain"],
        variants: ["GRPC"],
        freshEvery: 0,
        patienceMs: 2_000,
        alter,
      } as const;
      const faults: readonly Fault[] = await acceptAll(generatedMeshes(1, 1), options);
      for (const sign of signs)
        expect(faults.map(({ what }) => what)).toContainEqual(expect.stringMatching(sign));
    });
});
