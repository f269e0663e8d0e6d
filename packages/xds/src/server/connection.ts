import type * as grpc from "@grpc/grpc-js";
import { MalformedRequest } from "../service.ts";
import type { Admission, Admit } from "./admission.ts";
import type { AdsRequest } from "./ads-request.ts";
import { AdsStream } from "./ads-stream.ts";
import type { Codec } from "./codec.ts";
import type { Epoch, State } from "./epoch.ts";
import type { XdsEvent } from "./events.ts";
import type { ServerLimits } from "./limits.ts";
import type { OnDemand } from "./on-demand.ts";
import { OnDemandStream } from "./on-demand-stream.ts";
import { type PeerNode, peerNodeOf } from "./peer-node.ts";
import { Refusal } from "./refusal.ts";
import { refusedEvent } from "./refused-event.ts";
import { checkRequest } from "./request-checks.ts";
import type { TypeRules } from "./type-rules.ts";

/** A gRPC call of either method; `Message` is its request. */
export type AdsCall<Message = unknown> = grpc.ServerDuplexStream<Message | MalformedRequest, Buffer>;

/** How a variant of ADS is spoken. */
export interface Speech<Message> {
  readonly codec: Codec;
  read(message: Message): AdsRequest;
}

export interface ConnectionContext {
  readonly types: TypeRules;
  readonly limits: ServerLimits;
  readonly keptMetadata: readonly string[];
  readonly admit: Admit;
  readonly onDemand: OnDemand;
  /** What a node should hold now. */
  readonly newest: (node: PeerNode | undefined) => State | undefined;
  /** The version that answers on demand are told with. */
  readonly epoch: () => Epoch;
  /** Whether a client of the state of the world is answered in full when it asks for more. */
  readonly answersInFull: (node: PeerNode) => boolean;
  readonly onEvent: (event: XdsEvent) => void;
  /** The stream is over, for whatever reason. */
  readonly onClosed: (connection: Connection) => void;
}

/** One gRPC call: from the peer's first word, through its admission, to the end of its stream. */
export class Connection<Message = unknown> {
  /** No other one of the server has it. */
  readonly number: number;
  readonly peer: string;
  readonly speech: Speech<Message>;
  node: PeerNode | undefined;
  /** Undefined until the peer is admitted. */
  stream: AdsStream | undefined;
  private onDemand: OnDemandStream | undefined;
  private readonly call: AdsCall<Message>;
  private readonly context: ConnectionContext;
  /** Runs out if the peer says nothing; undefined since its first request. */
  private patience: NodeJS.Timeout | undefined;
  /** Read, but not looked at: the request before them is not done with. */
  private readonly waiting: AdsRequest[] = [];
  private busy = false;
  private closed = false;

  constructor(number: number, call: AdsCall<Message>, speech: Speech<Message>, context: ConnectionContext) {
    this.number = number;
    this.call = call;
    this.speech = speech;
    this.context = context;
    this.peer = call.getPeer();
    this.patience = setTimeout(() => {
      this.refuse(Refusal.tooLate(`no request within ${context.limits.firstRequestMs} ms`));
    }, context.limits.firstRequestMs);
    call.on("data", (message: Message | MalformedRequest) => this.attempt(() => this.onMessage(message)));
    call.on("end", () => {
      this.close();
      call.end();
    });
    call.on("cancelled", () => this.close());
    call.on("error", () => this.close());
  }

  /** Tells it from others of the same node: the node's id, "-", and a number; as in istiod. */
  get id(): string {
    return `${this.node?.id ?? ""}-${this.number}`;
  }

  get isSilent(): boolean {
    return this.patience !== undefined;
  }

  /** The node's name, or its id if it told no name, or the peer. */
  get label(): string {
    return this.node?.name || this.node?.id || this.peer;
  }

  onNews(): void {
    this.attempt(() => this.stream?.onNews());
  }

  /** Ends the stream with the reason as its status. */
  refuse(reason: Refusal): void {
    if (this.closed) return;
    this.end(reason);
    this.context.onEvent(refusedEvent(this.label, this.peer, reason));
  }

  /** Ends the stream, which is nobody's fault. */
  end(reason: Refusal): void {
    this.close();
    endCall(this.call, reason);
  }

  private onMessage(message: Message | MalformedRequest): void {
    if (this.closed) return;
    clearTimeout(this.patience);
    this.patience = undefined;
    if (message instanceof MalformedRequest) throw Refusal.malformed(message.reason);
    const request = this.speech.read(message);
    checkRequest(request, this.context.limits);
    if (this.busy) this.waiting.push(request);
    else this.take(request);
  }

  /** What the peer sends while a request takes its time stays with gRPC, but for what was read already. */
  private take(request: AdsRequest): void {
    const pending = this.onRequest(request);
    if (pending === undefined) return;
    this.busy = true;
    this.call.pause();
    void pending.catch((error: unknown) => this.refuse(Refusal.from(error))).then(() => this.takeWaiting());
  }

  private takeWaiting(): void {
    this.busy = false;
    this.attempt(() => {
      for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
        this.take(next);
        if (this.busy) return;
      }
    });
    if (!this.busy) this.call.resume();
  }

  /** @returns when it is done with, if it is not yet. */
  private onRequest(request: AdsRequest): Promise<void> | undefined {
    if (this.closed) return undefined;
    const { types, onEvent } = this.context;
    const { typeUrl, error } = request;
    if (types.of(typeUrl).reportOnly === true) {
      // Probes report before the first request that says who asks.
      if (this.stream !== undefined) onEvent({ kind: "report", node: this.label, typeUrl, error });
      return undefined;
    }
    if (this.stream === undefined) return this.introduce(request);
    // What a snapshot has is not asked for on demand, and most requests are acks of it.
    if (this.stream.types.has(typeUrl) || this.onDemand?.answer(request) !== true)
      this.stream.onRequest(request);
    return undefined;
  }

  /** Only the first request of a stream has to carry the node; it never changes. */
  private introduce(request: AdsRequest): Promise<void> | undefined {
    const { admit, keptMetadata, limits } = this.context;
    if (request.node !== undefined) this.node = peerNodeOf(request.node, keptMetadata, limits);
    const admission = admit(this.call, this.node);
    if (!(admission instanceof Promise)) return this.settle(admission, request);
    return admission.then((settled) => this.settle(settled, request));
  }

  private settle(admission: Admission, request: AdsRequest): Promise<void> | undefined {
    if (this.closed) return undefined;
    if (!admission.admitted) throw Refusal.because(admission.code, admission.reason);
    if (this.node !== undefined) {
      this.node = { ...this.node, name: admission.nodeName ?? this.node.name };
      this.context.onEvent({ kind: "connected", node: this.label, peer: this.peer });
    }
    this.stream = this.openStream();
    return this.onRequest(request);
  }

  private openStream(): AdsStream {
    const { types, newest, answersInFull, onDemand, limits, epoch, onEvent } = this.context;
    const { call, node, label } = this;
    const { codec } = this.speech;
    const send = (response: Buffer): void => void call.write(response);
    const common = { limits, codec, label, send, onEvent };
    this.onDemand = new OnDemandStream({ ...common, onDemand, node, epoch });
    return new AdsStream({
      ...common,
      types,
      answersInFull: node !== undefined && answersInFull(node),
      newest: () => newest(node),
      isSent: () => call.writableLength === 0,
    });
  }

  /** What goes wrong on one stream ends that stream and no other. */
  private attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.refuse(Refusal.from(error));
    }
  }

  private close(): void {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.patience);
    this.stream?.close();
    this.context.onClosed(this);
    if (this.node === undefined || this.stream === undefined) return;
    this.context.onEvent({ kind: "disconnected", node: this.label, peer: this.peer });
  }
}

/** gRPC takes a status from a call's error. */
export function endCall(call: AdsCall<never>, { code, message }: Refusal): void {
  call.emit("error", Object.assign(new Error(message), { code, details: message }));
}
