import { create, toBinary } from "@bufbuild/protobuf";
import { ClusterSchema } from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { envoyTypeUrls } from "@keelson/xds/envoy";
import { expect, test } from "vitest";
import { readDump } from "./dump.ts";
import { type Sent, whatItLacks } from "./held.ts";

const sent = (...names: string[]): Sent => {
  const resources = names.map((name) => ({
    name,
    version: "1",
    body: toBinary(ClusterSchema, create(ClusterSchema, { name, connectTimeout: { seconds: 10n } })),
  }));
  return {
    names: (typeUrl) => (typeUrl === envoyTypeUrls.cluster ? names : []),
    resources: (typeUrl) => (typeUrl === envoyTypeUrls.cluster ? resources : []),
  };
};

const cluster = (name: string, connect_timeout: string) => ({
  cluster: { "@type": envoyTypeUrls.cluster, name, connect_timeout },
});

/** A dump with these sections. */
const dump = (...configs: object[]) => readDump(JSON.stringify({ configs }));

test("an Envoy that holds what it was sent lacks nothing", () => {
  const held = dump({ dynamic_active_clusters: [cluster("a", "10s"), cluster("b", "10s")] }, {});
  expect(whatItLacks(sent("a", "b"), held)).toEqual([]);
});

test("what is missing, different, left over or not in use is named", () => {
  const held = dump({
    dynamic_active_clusters: [
      cluster("b", "11s"),
      { ...cluster("c", "10s"), error_state: { details: "no" } },
    ],
    dynamic_warming_clusters: [cluster("a", "10s")],
  });
  expect(whatItLacks(sent("a", "b"), held)).toEqual([
    "cluster a is warming",
    "the last update of c was refused",
    "cluster a is missing",
    "cluster b is held as something else than was sent",
    "cluster c is still there",
  ]);
});

test("a listener counts only once it is active", () => {
  const listener = (state: string) => ({
    dynamic_listeners: [{ name: "l", [state]: { listener: { "@type": envoyTypeUrls.listener, name: "l" } } }],
  });
  expect(dump(listener("active_state")).active.listener.size).toBe(1);
  expect(dump(listener("draining_state")).active.listener.size).toBe(0);
  expect(dump(listener("warming_state")).unsettled).toEqual(["listener l is warming"]);
});
