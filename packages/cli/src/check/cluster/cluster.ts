import { ApiError, ApiServer, loadKubeConfig } from "@keelson/sources";
import { z } from "zod";

/** A cluster that does not answer for this time is as good as none. */
const idleMs = 10_000;

const review = z.object({ status: z.object({ allowed: z.boolean() }) });

/** What a rule of RBAC is about. */
export interface Access {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  readonly namespace?: string;
}

/** Reads of an API server what checks look at. */
export class Cluster {
  readonly url: string;
  private readonly server: ApiServer;

  private constructor(server: ApiServer) {
    this.server = server;
    this.url = server.url;
  }

  /** @param kubeconfig as findCluster has it @throws Error if it is none */
  static async open(kubeconfig: string): Promise<Cluster> {
    return new Cluster(new ApiServer(await loadKubeConfig(kubeconfig)));
  }

  /** @returns undefined if there is no such thing @throws ApiError, or Error if there is no answer */
  async get<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
    try {
      return schema.parse(await this.server.getJson(path, this.patience()));
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** The items of a list; none if the server knows no such kind. */
  async list<T>(path: string, schema: z.ZodType<T>): Promise<readonly T[]> {
    return (await this.get(path, z.object({ items: z.array(schema) })))?.items ?? [];
  }

  /** Whether this account may do that (SelfSubjectAccessReview, which everybody may ask). */
  async may({ group, resource, verb, namespace }: Access): Promise<boolean> {
    const answer = await this.server.send(
      "POST",
      "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
      {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: {
          resourceAttributes: { group, resource, verb, ...(namespace === undefined ? {} : { namespace }) },
        },
      },
      this.patience(),
    );
    return review.parse(answer).status.allowed;
  }

  private patience(): { signal: AbortSignal; idleMs: number } {
    return { signal: AbortSignal.timeout(3 * idleMs), idleMs };
  }
}
