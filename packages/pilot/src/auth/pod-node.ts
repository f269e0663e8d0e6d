import type { ApiServer } from "@keelson/sources";
import { z } from "zod";
import { type ReviewedToken, whyNot } from "./token-review.ts";

const patienceMs = 5_000;

const listSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ uid: z.string() }),
      spec: z.object({ nodeName: z.string().optional(), serviceAccountName: z.string().optional() }),
    }),
  ),
});

/**
 * The node on which the pod of a token runs. It is asked for by a list, which whoever follows pods may do; not everybody
 * may get one by its name.
 * @returns undefined if the token is not that of a pod which runs on a node
 * @throws Error if the API server does not say
 */
export async function nodeOfPod(
  api: ApiServer,
  { namespace, serviceAccount, pod }: ReviewedToken,
): Promise<string | undefined> {
  if (pod === undefined) return undefined;
  const query = new URLSearchParams({ fieldSelector: `metadata.name=${pod.name}` });
  const path = `/api/v1/namespaces/${namespace}/pods?${query.toString()}`;
  const options = { signal: AbortSignal.timeout(patienceMs), idleMs: patienceMs };
  const answer = await api.getJson(path, options).catch((error: unknown) => {
    throw new Error(`the API server does not say where pod ${namespace}/${pod.name} runs: ${whyNot(error)}`, {
      cause: error,
    });
  });
  const { items } = listSchema.parse(answer);
  const found = items.find(({ metadata }) => metadata.uid === pod.uid);
  return found?.spec.serviceAccountName === serviceAccount ? found.spec.nodeName : undefined;
}
