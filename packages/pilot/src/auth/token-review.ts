import { ApiError, type ApiServer } from "@keelson/sources";
import { z } from "zod";
import { parseServiceAccountUser } from "./identity.ts";

/** Whom a token belongs to, as the API server says. */
export interface ReviewedToken {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** The pod that it was issued for, if it was issued for one. */
  readonly pod?: { readonly name: string; readonly uid: string };
  /** The node that it was issued for, or that the pod runs on: told by Kubernetes 1.30 and newer. */
  readonly node?: string;
}

/** The API server says that a token is not good. */
export class TokenRefusedError extends Error {
  override readonly name = "TokenRefusedError";
}

const path = "/apis/authentication.k8s.io/v1/tokenreviews";

/** After which an API server counts as away, in ms. */
const patienceMs = 5_000;

const answerSchema = z.object({
  status: z.object({
    authenticated: z.boolean().optional(),
    error: z.string().optional(),
    audiences: z.array(z.string()).optional(),
    user: z
      .object({
        username: z.string().optional(),
        extra: z.record(z.string(), z.array(z.string())).optional(),
      })
      .optional(),
  }),
});

type Status = z.infer<typeof answerSchema>["status"];

/**
 * Asks the API server whose token it is (TokenReview of authentication.k8s.io/v1).
 * @param audiences one of them must be among the token's
 * @throws TokenRefusedError if it is nobody's, or not for us; Error if the API server does not say
 */
export async function reviewToken(
  api: ApiServer,
  token: string,
  audiences: readonly string[],
): Promise<ReviewedToken> {
  const review = {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenReview",
    spec: { token, audiences },
  };
  const options = { signal: AbortSignal.timeout(patienceMs), idleMs: patienceMs };
  const answer = await api.send("POST", path, review, options).catch((error: unknown) => {
    throw new Error(`the API server does not say whose token it is: ${whyNot(error)}`, { cause: error });
  });
  const { data, error } = answerSchema.safeParse(answer);
  if (error !== undefined) throw new Error("the API server's answer is no TokenReview");
  return tokenOf(data.status, audiences);
}

export function whyNot(error: unknown): string {
  if (error instanceof ApiError) return `${error.status}: ${error.message}`;
  return (error as Error).message;
}

function tokenOf(status: Status, audiences: readonly string[]): ReviewedToken {
  if (status.authenticated !== true) {
    throw new TokenRefusedError(`the API server refuses the token: ${status.error ?? "it says no more"}`);
  }
  // An API server that does not look at audiences names none: the token may be for anybody.
  if (!audiences.some((audience) => status.audiences?.includes(audience))) {
    throw new TokenRefusedError(`the token is not for ${audiences.join(" or ")}`);
  }
  const { username = "", extra = {} } = status.user ?? {};
  const account = parseServiceAccountUser(username);
  if (account === undefined) {
    throw new TokenRefusedError(
      `the token is that of ${JSON.stringify(username.slice(0, 300))}, which is no service account`,
    );
  }
  const about = (what: string): string => extra[`authentication.kubernetes.io/${what}`]?.[0] ?? "";
  const [name, uid, node] = [about("pod-name"), about("pod-uid"), about("node-name")];
  return {
    ...account,
    ...(name === "" ? {} : { pod: { name, uid } }),
    ...(node === "" ? {} : { node }),
  };
}
