import type { AdsRequest } from "./ads-request.ts";
import type { Codec } from "./codec.ts";
import { type Epoch, nonceOf, versionOf } from "./epoch.ts";
import type { XdsEvent } from "./events.ts";
import { checkLimit, type ServerLimits } from "./limits.ts";
import type { OnDemand, OnDemandAnswer } from "./on-demand.ts";
import type { PeerNode } from "./peer-node.ts";
import { Refusal } from "./refusal.ts";

export interface OnDemandContext {
  readonly onDemand: OnDemand;
  readonly node: PeerNode | undefined;
  /** For logs: the node, or its peer. */
  readonly label: string;
  readonly limits: ServerLimits;
  readonly codec: Codec;
  readonly epoch: () => Epoch;
  readonly send: (response: Buffer) => void;
  readonly onEvent: (event: XdsEvent) => void;
}

/** The part of a stream whose types no snapshot has. */
export class OnDemandStream {
  private readonly context: OnDemandContext;
  /** Type → names that were answered last. */
  private readonly demanded = new Map<string, readonly string[]>();
  private responses = 0;

  constructor(context: OnDemandContext) {
    this.context = context;
  }

  /** @returns whether the type is answered on demand. @throws Refusal, if the peer may not have it */
  answer({ typeUrl, nonce, names }: AdsRequest): boolean {
    const { onDemand, node, limits } = this.context;
    const before = this.demanded.get(typeUrl);
    // An answer to a response asks for nothing, unless it names something else.
    const isAck = before !== undefined && nonce !== "" && (names.length === 0 || sameNames(names, before));
    if (isAck) return true;
    const answer = onDemand(typeUrl, names, node);
    if (answer === undefined) return false;
    if ("code" in answer) throw Refusal.because(answer.code, answer.reason);
    this.demanded.set(typeUrl, names);
    checkLimit("types that are answered on demand", this.demanded.size, limits.typesPerStream);
    this.send(typeUrl, answer);
    return true;
  }

  private send(
    typeUrl: string,
    {
      resources,
      controlPlaneIdentifier: identifier,
    }: Extract<OnDemandAnswer, { readonly resources: unknown }>,
  ): void {
    const { codec, label, epoch, onEvent, send } = this.context;
    const begin = performance.now();
    this.responses += 1;
    const rule = { typeUrl, versionForm: "time" } as const;
    const version = versionOf(epoch(), rule);
    const bytes = codec.encode({
      typeUrl,
      version,
      nonce: nonceOf(epoch(), rule, this.responses),
      versioned: false,
      resources,
      removed: [],
      ...(identifier === undefined ? {} : { controlPlaneIdentifier: identifier }),
    });
    send(bytes);
    const counts = { added: resources.length, removed: 0, bytes: bytes.length };
    const seconds = (performance.now() - begin) / 1000;
    onEvent({ kind: "push", node: label, typeUrl, version, ...counts, seconds });
  }
}

const sameNames = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name, i) => name === b[i]);
