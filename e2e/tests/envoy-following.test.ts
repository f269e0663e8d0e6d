// Real Envoys with a bootstrap of ten lines follow a control plane on a folder of files.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { type Envoy, startEnvoy } from "../peers/envoy.ts";
import { peerRunFolder } from "../peers/peer-process.ts";
import { peerTest } from "../peers/peer-test.ts";
import { type AdsVariant, plainBootstrap } from "../peers/plain-envoy.ts";
import { ConfigFolder } from "../world/config-folder.ts";
import { ControlPlane } from "../world/control-plane.ts";
import { freePort } from "../world/free-port.ts";
import { endpointSlices, serviceObject } from "../world/objects.ts";

const variants: readonly (readonly [string, AdsVariant])[] = [
  ["state of the world", "GRPC"],
  ["delta", "DELTA_GRPC"],
];

const reviews = {
  name: "reviews",
  addresses: ["10.0.0.1"],
  ports: [{ name: "http", port: 9080, targetPort: 8080 }],
};

async function startControlPlane() {
  const folder = await peerRunFolder("control-plane");
  const config = await ConfigFolder.create(join(folder, "config"));
  await config.write("reviews", [serviceObject(reviews), ...endpointSlices(reviews, [])]);
  const [grpcPort, httpPort] = [await freePort(), await freePort()];
  const logFile = join(folder, "log");
  const controlPlane = new ControlPlane({ configFolder: config.path, grpcPort, httpPort, logFile });
  await controlPlane.start();
  return {
    config,
    grpcPort,
    [Symbol.asyncDispose]: async () => {
      await controlPlane.stop();
      await rm(folder, { recursive: true });
    },
  };
}

/** Values of all statistics whose names match. */
async function statistics(envoy: Envoy, filter: string): Promise<Record<string, number>> {
  const text = await envoy.admin(`/stats?format=json&filter=${encodeURIComponent(filter)}`);
  const { stats } = JSON.parse(text) as { stats: { name?: string; value?: number }[] };
  return Object.fromEntries(
    stats.flatMap(({ name, value }) => (name === undefined ? [] : [[name, value ?? 0]])),
  );
}

for (const [variant, apiType] of variants) {
  peerTest(["envoy"], `an Envoy gets its clusters, endpoints, listeners and routes: ${variant}`, async () => {
    await using controlPlane = await startControlPlane();
    const { grpcPort } = controlPlane;
    const envoy = await startEnvoy({ bootstrap: plainBootstrap({ id: "plain" }, grpcPort, apiType) });
    expect(await envoy.admin("/listeners")).toContain("127.0.0.1_9080::127.0.0.1:9080");
    expect(await statistics(envoy, "update_success")).toMatchObject({
      "cluster_manager.cds.update_success": 1,
      "cluster.outbound|9080||reviews.default.svc.cluster.local.update_success": 1,
      "listener_manager.lds.update_success": 1,
      "http.outbound_127.0.0.1_9080.rds.9080.update_success": 1,
    });
    const rejected = await statistics(envoy, "update_rejected");
    expect(Object.values(rejected).filter((count) => count > 0)).toEqual([]);
    await envoy.stop();
  });
}
