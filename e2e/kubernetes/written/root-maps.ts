import { expect } from "vitest";
import { peerTest } from "../../peers/peer-test.ts";
import { until } from "../../world/until.ts";
import { writingPeers as peers, type WritingWorld } from "./writing-world.ts";

const system = "istio-system";

/** The root in every namespace. */
export function rootMapTests(world: () => WritingWorld): void {
  interface ConfigMap {
    readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
    readonly data?: Readonly<Record<string, string>>;
  }

  const pathOf = (namespace: string): string =>
    `/api/v1/namespaces/${namespace}/configmaps/istio-ca-root-cert`;

  async function rootMap(namespace: string): Promise<ConfigMap | undefined> {
    const { status, text } = await world().client.get(pathOf(namespace));
    return status === 200 ? (JSON.parse(text) as ConfigMap) : undefined;
  }

  const rootOf = async (namespace: string): Promise<string | undefined> =>
    (await rootMap(namespace))?.data?.["root-cert.pem"];

  const namespaces = "/api/v1/namespaces";
  const namespace = (name: string): object => ({ metadata: { name } });

  peerTest(peers, "the root stands in every namespace, but for those of nobody's workloads", async () => {
    await world().client.create(namespaces, namespace("local-path-storage"));
    await world().client.create(namespaces, namespace("shop"));
    await until(() => rootMap("shop"), { what: "the root in a new namespace" });
    const { data, metadata } = (await rootMap("kube-system")) ?? { metadata: {} };
    expect(data?.["root-cert.pem"]).toMatch(/^-----BEGIN CERTIFICATE-----\n/);
    expect(metadata.labels).toEqual({ "istio.io/config": "true" });
    for (const name of ["default", system, "shop"]) expect(await rootOf(name)).toBe(data?.["root-cert.pem"]);
    for (const name of ["kube-public", "kube-node-lease", "local-path-storage"])
      expect(await rootMap(name)).toBeUndefined();
  });

  peerTest(peers, "it comes back when it is deleted or changed; what else stands there stays", async () => {
    const root = await rootOf("shop");
    await world().client.remove(pathOf("shop"));
    await until(async () => (await rootOf("shop")) === root, { what: "the ConfigMap to come back" });
    await world().client.patch(pathOf("shop"), {
      metadata: { labels: { "istio.io/config": null, team: "a" } },
      data: { "root-cert.pem": "another", note: "mine" },
    });
    await until(async () => (await rootOf("shop")) === root, { what: "the root to come back" });
    const { metadata, data } = (await rootMap("shop")) ?? { metadata: {} };
    expect(metadata.labels).toEqual({ "istio.io/config": "true", team: "a" });
    expect(data).toEqual({ "root-cert.pem": root, note: "mine" });
  });
}
