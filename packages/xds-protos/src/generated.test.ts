import { globSync, readFileSync } from "node:fs";
import { createRegistry, type DescFile } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

const generated = new URL("../gen/", import.meta.url);
const modules = globSync("**/*_pb.js", { cwd: generated });

/** The file descriptor of each generated module. */
async function descriptors(): Promise<DescFile[]> {
  const loaded: Record<string, unknown>[] = await Promise.all(
    modules.map((module) => import(new URL(module, generated).href)),
  );
  return loaded.flatMap((exports) => Object.values(exports).filter(isFile));
}

function isFile(value: unknown): value is DescFile {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "file";
}

test("every entry of the generator has its module, and every module loads", async () => {
  const generator = readFileSync(new URL("../generate.mjs", import.meta.url), "utf8");
  const entries = [...generator.matchAll(/^ {2}"(.+)\.proto",$/gm)].map(([, path]) => `${path}_pb.js`);
  expect(entries.length).toBeGreaterThanOrEqual(14);
  expect(modules).toEqual(expect.arrayContaining(entries));
  expect(await descriptors()).toHaveLength(modules.length);
});

test("what goes into an Any is known by its name", async () => {
  const registry = createRegistry(...(await descriptors()));
  for (const name of [
    "envoy.config.listener.v3.Listener",
    "envoy.config.cluster.v3.Cluster",
    "envoy.config.endpoint.v3.ClusterLoadAssignment",
    "envoy.config.route.v3.RouteConfiguration",
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
    "envoy.extensions.filters.http.router.v3.Router",
    "envoy.extensions.transport_sockets.tls.v3.Secret",
    "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
  ]) {
    expect(registry.getMessage(name), name).toBeDefined();
  }
});

test("the aggregated discovery service has both variants", async () => {
  const registry = createRegistry(...(await descriptors()));
  const service = registry.getService("envoy.service.discovery.v3.AggregatedDiscoveryService");
  expect(service?.methods.map(({ name, methodKind }) => [name, methodKind])).toEqual([
    ["StreamAggregatedResources", "bidi_streaming"],
    ["DeltaAggregatedResources", "bidi_streaming"],
  ]);
});
