// Real gRPC clients take what generated meshes come to.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  ClusterSchema,
  Cluster_LbPolicy as LbPolicy,
} from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import type { Resources } from "@keelson/xds";
import { envoyTypeUrls } from "@keelson/xds/envoy";
import { describe, expect } from "vitest";
import { type Alter, MeshServer } from "../envoy/acceptance/mesh-server.ts";
import { FedClient } from "../grpc/fed-client.ts";
import { oneServiceMeshes } from "../grpc/one-service-meshes.ts";
import { makeRoot, workloadCertificate } from "../grpc/workload-certificate.ts";
import { type GrpcLanguage, grpcLanguages } from "../peers/echo.ts";
import type { PeerName } from "../peers/install/recipes.ts";
import { peerRunFolder } from "../peers/peer-process.ts";
import { peerTest } from "../peers/peer-test.ts";

/** Feeds a client one mesh after the other. @returns what it refused of the first mesh that it did not take */
async function refusals(language: GrpcLanguage, count: number, alter?: Alter): Promise<string[]> {
  await using server = await MeshServer.start(await peerRunFolder("mesh-server"), alter);
  const certificates = await workloadCertificate(await makeRoot(), "spiffe://cluster.local/ns/default/sa/a");
  const [first, ...others] = oneServiceMeshes(1, count);
  if (first === undefined) throw new Error("there is no mesh");
  server.set(first.ir);
  await using client = await FedClient.start(language, server, certificates);
  for (const { title, ir } of [first, ...others]) {
    server.set(ir);
    const found = await client.refusals();
    if (found.length > 0) return found.map((refusal) => `${title}: ${refusal}`);
  }
  return [];
}

/** Clusters that choose endpoints in a way that gRPC does not know. */
const withMaglev: Alter = (view) => {
  const made = new WeakMap<Resources, Resources>();
  const altered = (clusters: Resources): Resources =>
    new Map(
      [...clusters].map(([name, { version, body }]) => {
        const cluster = create(ClusterSchema, {
          ...fromBinary(ClusterSchema, body),
          lbPolicy: LbPolicy.MAGLEV,
        });
        return [name, { name, version: `${version}m`, body: toBinary(ClusterSchema, cluster) }];
      }),
    );
  return {
    lookup: (typeUrl, name) => (typeUrl === envoyTypeUrls.cluster ? undefined : view.lookup?.(typeUrl, name)),
    resources: (typeUrl) => {
      const list = view.resources(typeUrl);
      if (typeUrl !== envoyTypeUrls.cluster) return list;
      const clusters = made.get(list) ?? altered(list);
      made.set(list, clusters);
      return clusters;
    },
  };
};

describe.each(grpcLanguages)("%s", (language) => {
  const library: readonly PeerName[] = language === "grpc-js" ? [] : [language];

  peerTest(library, "takes all that it asks for of one generated mesh after the other", async () => {
    expect(await refusals(language, 24)).toEqual([]);
  });
});

peerTest(["grpc-go"], "what is refused is found", async () => {
  expect(await refusals("grpc-go", 1, withMaglev)).toContainEqual(expect.stringMatching(/refused .*MAGLEV/));
});
