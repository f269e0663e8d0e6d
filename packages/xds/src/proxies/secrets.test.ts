import { fromBinary } from "@bufbuild/protobuf";
import { SecretSchema } from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { ModelBuilder } from "@keelson/model";
import { UnchangedStaysTheSame } from "@keelson/model/testing";
import { describe, expect, test } from "vitest";
import { anIr } from "../envoy/testing/builders.ts";
import { envoyTypeUrls } from "../envoy/type-urls.ts";
import type { Variant } from "../server/ads-request.ts";
import { AdsPeer } from "../testing/ads-peer.ts";
import { TestServer } from "../testing/test-server.ts";
import { envoyTypeRules } from "./envoy-rules.ts";
import { type PolicySnapshot, PolicyViews } from "./policy-views.ts";

const type = envoyTypeUrls.secret;
const ir = anIr({});

/** A server on which each peer is believed to be of the namespace that its id says. */
async function serving() {
  const builder = new ModelBuilder();
  const source = new UnchangedStaysTheSame();
  const views = new PolicyViews({
    namespaceOf: ({ id }) => id.split(".").at(-1),
    onWithheld: () => undefined,
  });
  const server = await TestServer.start({
    types: envoyTypeRules,
    // Sound: the test sets no other snapshots.
    viewOf: (node, snapshot) => views.viewOf(node, snapshot as PolicySnapshot),
  });
  let version = 0n;
  /** "namespace/name" → roots in a Secret. */
  const serve = (roots: Readonly<Record<string, string>>) => {
    const manifests = Object.entries(roots).map(([path, text]) => {
      const [namespace, name] = path.split("/");
      const stringData = { "ca.crt": text };
      return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, stringData };
    });
    version += 1n;
    const { credentials } = builder.build(source.read(manifests));
    const snapshot: PolicySnapshot = { version, ir, credentials, resources: new Map() };
    server.xds.setSnapshot(snapshot);
  };
  return { server, serve, [Symbol.dispose]: () => server[Symbol.dispose]() };
}

/** The roots in a response, by the names of the secrets. */
const rootsIn = ({ bodies }: { readonly bodies: readonly Uint8Array[] }) =>
  Object.fromEntries(
    bodies.map((body) => {
      const { name, type: content } = fromBinary(SecretSchema, body);
      const value = content.case === "validationContext" ? content.value.trustedCa?.specifier.value : "";
      return [name, Buffer.from((value ?? "") as Uint8Array).toString()];
    }),
  );

describe.each<Variant>(["delta", "sotw"])("%s", (variant) => {
  test("a secret goes to those who ask for it, and so does what it becomes", async () => {
    using world = await serving();
    const { server, serve } = world;
    serve({ "edge/a": "1", "edge/b": "1", "shop/a": "1" });
    const peer = (namespace: string) => new AdsPeer(server.address, variant, { id: `proxy.${namespace}` });
    using one = peer("edge");
    using other = peer("edge");
    using stranger = peer("shop");
    one.ask(type, "kubernetes://a-cacert", "kubernetes://shop/a-cacert", "kubernetes://nothing");
    expect(rootsIn(await one.take())).toEqual({ "kubernetes://a-cacert": "1" });
    other.ask(type, "kubernetes://edge/b-cacert");
    expect(rootsIn(await other.take())).toEqual({ "kubernetes://edge/b-cacert": "1" });
    stranger.ask(type, "kubernetes://edge/a-cacert");
    expect(rootsIn(await stranger.take())).toEqual({});
    serve({ "edge/a": "2", "edge/b": "1", "shop/a": "2" });
    expect(rootsIn(await one.take())).toEqual({ "kubernetes://a-cacert": "2" });
    await other.quiet();
    await stranger.quiet();
    await one.quiet();
    expect(server.eventsOf("push").filter(({ typeUrl }) => typeUrl === type)).toHaveLength(4);
  });

  test("a secret that comes later is sent then", async () => {
    using world = await serving();
    const { server, serve } = world;
    serve({});
    using peer = new AdsPeer(server.address, variant, { id: "proxy.edge" });
    peer.ask(type, "kubernetes://a-cacert");
    expect(rootsIn(await peer.take())).toEqual({});
    serve({ "edge/a": "1" });
    expect(rootsIn(await peer.take())).toEqual({ "kubernetes://a-cacert": "1" });
    serve({});
    if (variant === "delta") expect((await peer.take()).removed).toEqual(["kubernetes://a-cacert"]);
    await peer.quiet();
  });
});
