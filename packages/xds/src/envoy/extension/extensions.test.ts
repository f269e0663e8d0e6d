import { fromBinary } from "@bufbuild/protobuf";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import { TypedExtensionConfigSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/extension_pb.js";
import type { Listener } from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { WasmSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/wasm/v3/wasm_pb.js";
import type { PluginConfig } from "@envoyproxy/xds-protos/envoy/extensions/wasm/v3/wasm_pb.js";
import { type ExtensionSchema, Extension_Phase as Phase } from "@keelson/protos/proxy";
import { expect, test } from "vitest";
import { EnvoyGenerator } from "../generator.ts";
import { bookinfo } from "../testing/bookinfo.ts";
import { aGateway, anExtension, anIr } from "../testing/builders.ts";
import { type Decoded, decoded, unpack } from "../testing/decoded.ts";
import { aProxy, withAgent } from "../testing/proxies.ts";
import { chainsOf, filtersOf } from "../testing/references.ts";
import { envoyTypeUrls } from "../type-urls.ts";
import type { Init } from "../wire.ts";

const prefix = "extensions.istio.io/trafficextension/";
const atReviews = aProxy({
  id: "sidecar~10.244.1.1~reviews-v1.default~default.svc.cluster.local",
  metadata: { ...withAgent, LABELS: { app: "reviews" } },
});
const plain = aProxy({ id: atReviews.id });
const of = (name: string, init: Init<typeof ExtensionSchema> = {}) => anExtension(name, init);

/** Names of the filters of the first HTTP manager, without "envoy.filters.http." and the prefix. */
const filters = (listener: Listener): string[] =>
  (chainsOf(listener).flatMap((chain) => filtersOf(chain).managers)[0]?.httpFilters ?? []).map(({ name }) =>
    name.replace("envoy.filters.http.", "").replace(prefix, ""),
  );
const pluginOf = (resources: Decoded, name: string): PluginConfig | undefined => {
  const body = resources.view.resources(envoyTypeUrls.extensionConfig).get(`${prefix}${name}`)?.body;
  if (body === undefined) return undefined;
  return unpack(WasmSchema, fromBinary(TypedExtensionConfigSchema, body).typedConfig).config;
};

test("filters stand in the order of phases, and of one phase in that of priorities", () => {
  const extensions = [
    of("default/last"),
    of("default/authn", { phase: Phase.AUTHN }),
    of("default/authz-low", { phase: Phase.AUTHZ, priority: 1 }),
    of("istio-system/authz-high", { phase: Phase.AUTHZ, priority: 9 }),
    of("default/stats", { phase: Phase.STATS }),
  ];
  const resources = decoded({ ...bookinfo, extensions }, atReviews);
  const all = [
    "default.authn",
    "istio-system.authz-high",
    "default.authz-low",
    "grpc_stats",
    "fault",
    "cors",
    "default.stats",
    "default.last",
    "router",
  ];
  expect(filters(resources.listener("virtualInbound"))).toEqual(all);
  expect(filters(resources.listener("0.0.0.0_9080"))).toEqual(all);
  expect(resources.names("extensionConfig").sort()).toEqual(
    extensions.map(({ name }) => `${prefix}${name.replace("/", ".")}`).sort(),
  );
});

test("an extension may be for one side only", () => {
  const extensions = [
    of("default/client", { forServers: false }),
    of("default/server", { forClients: false }),
  ];
  const resources = decoded({ ...bookinfo, extensions }, atReviews);
  expect(filters(resources.listener("virtualInbound"))).toContain("default.server");
  expect(filters(resources.listener("virtualInbound"))).not.toContain("default.client");
  expect(filters(resources.listener("0.0.0.0_9080"))).toContain("default.client");
  const gateways = [aGateway("default/gw", { servers: [{ port: 80, protocol: "HTTP", hosts: ["*/*"] }] })];
  const router = aProxy({ id: "router~10.0.0.1~gw.default~default.svc.cluster.local", metadata: withAgent });
  expect(filters(decoded({ gateways, extensions }, router).listener("0.0.0.0_80"))).toContain(
    "default.client",
  );
});

test("those of the namespace and of the root namespace are used, where the labels are right", () => {
  const extensions = [
    of("default/own", { workloadLabels: { app: "reviews" } }),
    of("default/other", { workloadLabels: { app: "other" } }),
    of("shop/elsewhere"),
    of("istio-system/all"),
  ];
  expect(decoded({ ...bookinfo, extensions }, atReviews).names("extensionConfig")).toEqual([
    `${prefix}default.own`,
    `${prefix}istio-system.all`,
  ]);
  expect(decoded(bookinfo, atReviews).names("extensionConfig")).toEqual([]);
});

test("what an extension is", () => {
  const extensions = [
    of("default/local", {
      url: "file:///opt/filter.wasm",
      rootId: "root",
      configuration: '{"a":1}',
      environment: { KEY: "value" },
      hostEnvironment: ["HOME"],
      pullPolicy: "Always",
    }),
    of("default/remote", { url: "oci://example.com/filter:1", sha256: "ab" }),
  ];
  const resources = decoded({ ...bookinfo, extensions }, atReviews);
  const local = pluginOf(resources, "default.local");
  expect(local).toMatchObject({
    name: "default.local",
    rootId: "root",
    vm: {
      value: {
        runtime: "envoy.wasm.runtime.v8",
        code: { specifier: { value: { specifier: { case: "filename", value: "/opt/filter.wasm" } } } },
        environmentVariables: {
          hostEnvKeys: ["HOME"],
          keyValues: { KEY: "value", ISTIO_META_WASM_IMAGE_PULL_POLICY: "Always" },
        },
      },
    },
  });
  expect(unpack(StringValueSchema, local?.configuration).value).toBe('{"a":1}');
  expect(pluginOf(resources, "default.remote")?.vm.value?.code?.specifier.value).toMatchObject({
    httpUri: { uri: "oci://example.com/filter:1", httpUpstreamType: { value: "_" } },
    sha256: "ab",
  });
  // Nobody would fetch it for a proxy without an agent.
  expect(decoded({ ...bookinfo, extensions }, plain).names("extensionConfig")).toEqual([
    `${prefix}default.local`,
  ]);
});

test("another configuration changes what the extension is, and no listener", () => {
  const generator = new EnvoyGenerator();
  const view = (configuration: string) =>
    generator.view(anIr({ ...bookinfo, extensions: [of("default/a", { configuration })] }), atReviews);
  const versions = (type: "listener" | "extensionConfig", configuration: string) =>
    [...view(configuration).resources(envoyTypeUrls[type]).values()].map(
      ({ name, version }) => `${name} ${version}`,
    );
  const before = { listeners: versions("listener", "1"), extensions: versions("extensionConfig", "1") };
  expect(versions("extensionConfig", "2")).not.toEqual(before.extensions);
  expect(versions("listener", "2")).toEqual(before.listeners);
});
