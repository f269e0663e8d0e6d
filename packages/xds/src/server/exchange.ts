import type { AdsRequest } from "./ads-request.ts";
import type { Changes } from "./changes.ts";
import type { Codec, Content } from "./codec.ts";
import { type Epoch, nonceOf, versionOf } from "./epoch.ts";
import type { XdsEvent } from "./events.ts";
import { InFlight } from "./in-flight.ts";
import type { EncodedResponse, ResponseContent } from "./shared-responses.ts";
import type { TypeState } from "./type-state.ts";

/** Longest text of a nack that is kept, in characters. */
const nackTextLength = 4_096;

export interface ExchangeContext {
  readonly codec: Codec;
  /** For logs: the node, or its peer. */
  readonly label: string;
  readonly send: (response: Buffer) => void;
  readonly onEvent: (event: XdsEvent) => void;
}

/** The responses of one stream, and what its client said to them. */
export class Exchange {
  readonly inFlight: InFlight;
  private readonly context: ExchangeContext;
  private responses = 0;

  constructor(context: ExchangeContext) {
    this.context = context;
    this.inFlight = new InFlight(context.codec.supersedes);
  }

  /** @param changes that the content was made of. */
  send(type: TypeState, epoch: Epoch, changes: Changes, content: Content): void {
    const { label, onEvent, send } = this.context;
    const begin = performance.now();
    const { rule } = type;
    const { typeUrl } = rule;
    const { resources, removed } = content;
    const version = versionOf(epoch, rule);
    const { nonce, bytes } = this.encode(type, epoch, {
      typeUrl,
      version,
      versioned: rule.unversioned !== true,
      resources,
      removed,
    });
    this.inFlight.add(nonce, { rule, version, changes });
    type.sentVersion = version;
    type.sentNonce = nonce;
    type.sentAt = Date.now();
    send(bytes);
    const counts = { added: resources.length, removed: removed.length, bytes: bytes.length };
    const seconds = (performance.now() - begin) / 1000;
    onEvent({ kind: "push", node: label, typeUrl, version, ...counts, seconds });
  }

  /** What a stream is told again within one version has a nonce of its own. */
  private encode({ rule, sentVersion }: TypeState, epoch: Epoch, content: ResponseContent): EncodedResponse {
    const { codec } = this.context;
    this.responses += 1;
    const newNonce = (): string => nonceOf(epoch, rule, this.responses);
    if (rule.versionForm === "time" && sentVersion !== content.version)
      return codec.encodeShared(content, newNonce);
    const nonce = newNonce();
    return { nonce, bytes: codec.encode({ ...content, nonce }) };
  }

  /**
   * Takes note of what a request says of a response; a nonce that is not in flight is stale.
   * @returns whether the client may hold anything that was thought to be dropped.
   */
  take({ typeUrl, nonce, error }: AdsRequest, type: TypeState): boolean {
    const response = this.inFlight.take(nonce, typeUrl);
    if (response === undefined) return false;
    const { label, onEvent } = this.context;
    const { version, changes } = response;
    const about = { node: label, typeUrl, version };
    const mayHoldMore = type.subscription.mayHold(changes.added.map(({ name }) => name));
    type.heard = true;
    if (error === undefined) {
      type.ackedVersion = version;
      type.ackedNonce = nonce;
      // Only what was rejected is looked for by name.
      if (type.subscription.rejection !== undefined) type.subscription.acked(namesOf(changes));
      const stillRejects = type.subscription.rejection !== undefined;
      onEvent({ kind: "ack", ...about, ...(stillRejects && { stillRejects }) });
    } else {
      const message = error.slice(0, nackTextLength);
      type.subscription.nacked({ version, message, at: new Date() }, namesOf(changes));
      onEvent({ kind: "nack", ...about, message });
    }
    return mayHoldMore;
  }
}

/** Of all that a response was about. */
const namesOf = ({ added, missing, gone }: Changes): string[] => [
  ...added.map(({ name }) => name),
  ...missing,
  ...gone,
];
