import { type KnownObject, objectKey } from "@keelson/model";
import { KubernetesSource, loadKubeConfig } from "@keelson/sources";
import { until } from "../world/until.ts";
import type { KubeClient } from "./kube-client.ts";

/** Everything that is read of each object, by its key. */
const contents = (objects: readonly KnownObject[]): Map<string, string> =>
  new Map(
    objects.map((object) => [
      objectKey(object),
      JSON.stringify([object.apiVersion, object.metadata, object.body]),
    ]),
  );

interface NamedList {
  readonly items: readonly { readonly metadata: { readonly namespace?: string; readonly name: string } }[];
}

/** Names of what the API server holds in a collection, sorted. */
async function namesAt(client: KubeClient, path: string): Promise<string[]> {
  const { text } = await client.get(path);
  const { items } = JSON.parse(text) as NamedList;
  return items.map(({ metadata }) => metadata.name).sort();
}

/** What a source that has just been started reads of the API server. */
async function freshlyRead(kubeconfig: string): Promise<readonly KnownObject[]> {
  const source = new KubernetesSource({ config: await loadKubeConfig(kubeconfig), revision: "default" });
  await source.start();
  await source.close();
  return source.snapshot.objects;
}

/**
 * Waits until a source holds what the API server holds: object by object as one reads it that has just been started,
 * which is checked against the API server's own lists.
 */
export async function untilSameAsServed(
  source: KubernetesSource,
  kubeconfig: string,
  client: KubeClient,
): Promise<void> {
  const fresh = await freshlyRead(kubeconfig);
  for (const [kind, path] of Object.entries({
    Service: "/api/v1/services",
    Pod: "/api/v1/pods",
    Node: "/api/v1/nodes",
    EndpointSlice: "/apis/discovery.k8s.io/v1/endpointslices",
  })) {
    const read = fresh.filter((object) => object.kind === kind).map(({ metadata }) => metadata.name);
    const served = await namesAt(client, path);
    if (read.sort().join() !== served.join())
      throw new Error(`of ${path} ${read.length} of ${served.length} are read`);
  }
  const wanted = contents(fresh);
  const look = (): boolean => {
    const held = contents(source.snapshot.objects);
    const wrong = [...wanted].find(([key, text]) => held.get(key) !== text);
    if (wrong !== undefined) throw new Error(`${wrong[0]} is ${held.get(wrong[0])}, not ${wrong[1]}`);
    const surplus = [...held.keys()].find((key) => !wanted.has(key));
    if (surplus !== undefined) throw new Error(`${surplus} is not there any more`);
    return true;
  };
  await until(look, { what: "the source to hold what the API server holds", timeoutMs: 60_000 });
}
