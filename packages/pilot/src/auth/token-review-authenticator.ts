import { createHash } from "node:crypto";
import type { ApiServer } from "@keelson/sources";
import { decodeJwt } from "jose";
import type { Authenticator, Caller, Presented } from "./authenticator.ts";
import { BoundedWork } from "./bounded-work.ts";
import { nodeOfPod } from "./pod-node.ts";
import { reviewToken, TokenRefusedError } from "./token-review.ts";

export interface TokenReviewOptions {
  readonly api: ApiServer;
  /** One of them must be among a token's. */
  readonly audiences: readonly string[];
  readonly trustDomain: string;
  /** "namespace/serviceaccount" of those that act for a whole node: theirs is looked up if the token does not tell it. */
  readonly nodeAccounts: ReadonlySet<string>;
  /** The time, in ms since 1970. */
  readonly now?: () => number;
}

/** For this time nobody asks again, in ms: so long a token counts that was taken back. */
const freshMs = 60_000;

/** For this time the last answer counts if the API server gives none, in ms. */
const mostMs = 3_600_000;

/** Tokens that are remembered: one for each stream that there may be. */
const mostKnown = 10_000;

const mostQuestions = 16;
const mostWaiting = 1_000;

interface Known {
  readonly caller: Caller;
  readonly since: number;
}

/** Knows workloads by tokens of their service account, of which it asks Kubernetes' API server. */
export class TokenReviewAuthenticator implements Authenticator {
  readonly name = "TokenReview";
  private readonly options: TokenReviewOptions;
  private readonly now: () => number;
  /** By the token's digest, so that no token is kept; the one that was not asked for the longest time comes first. */
  private readonly known = new Map<string, Known>();
  private readonly asked = new Map<string, Promise<Caller>>();
  private readonly questions = new BoundedWork(mostQuestions, mostWaiting);

  constructor(options: TokenReviewOptions) {
    this.options = options;
    this.now = options.now ?? Date.now;
  }

  async authenticate({ token }: Presented): Promise<Caller | undefined> {
    if (token === undefined) return undefined;
    this.checkEnd(token);
    const digest = createHash("sha256").update(token).digest("base64");
    const known = this.known.get(digest);
    if (known !== undefined && this.now() - known.since < freshMs) return this.remember(digest, known);
    try {
      const caller = await this.askOnce(digest, token);
      this.checkEnd(token);
      return this.remember(digest, { caller, since: this.now() });
    } catch (error) {
      const isRefused = error instanceof TokenRefusedError;
      if (isRefused) this.known.delete(digest);
      if (isRefused || known === undefined || this.now() - known.since >= mostMs) throw error;
      this.checkEnd(token);
      return known.caller;
    }
  }

  /** Nobody is asked of a token that is none, or has ended. @throws TokenRefusedError */
  private checkEnd(token: string): void {
    const end = endOf(token);
    if (end === undefined) throw new TokenRefusedError("the token is no JWT that ends");
    if (end <= this.now())
      throw new TokenRefusedError(`the token has ended at ${new Date(end).toISOString()}`);
  }

  private remember(digest: string, known: Known): Caller {
    this.known.delete(digest);
    this.known.set(digest, known);
    const [oldest] = this.known.keys();
    if (this.known.size > mostKnown && oldest !== undefined) this.known.delete(oldest);
    return known.caller;
  }

  /** Who comes with the same token meanwhile waits for the same answer. */
  private askOnce(digest: string, token: string): Promise<Caller> {
    const begun = this.asked.get(digest);
    if (begun !== undefined) return begun;
    const asked = this.questions.run(() => this.ask(token)).finally(() => this.asked.delete(digest));
    this.asked.set(digest, asked);
    return asked;
  }

  private async ask(token: string): Promise<Caller> {
    const { api, audiences, trustDomain, nodeAccounts } = this.options;
    const reviewed = await reviewToken(api, token, audiences);
    const { namespace, serviceAccount } = reviewed;
    const needsNode = nodeAccounts.has(`${namespace}/${serviceAccount}`);
    const node = reviewed.node ?? (needsNode ? await nodeOfPod(api, reviewed) : undefined);
    return {
      identity: { trustDomain, namespace, serviceAccount },
      source: this.name,
      ...(node === undefined ? {} : { node }),
    };
  }
}

/** When a token ends, in ms since 1970, as it says itself; undefined if it says nothing that can be read. */
function endOf(token: string): number | undefined {
  try {
    const { exp } = decodeJwt(token);
    return exp === undefined || !Number.isFinite(exp * 1000) ? undefined : exp * 1000;
  } catch {
    return undefined;
  }
}
