import type { AdsStream } from "../server/ads-stream.ts";

/** What a client does with a response; one that takes it "in part" takes every second resource, as Envoy may do. */
export type Decision = "accept" | "reject" | "reject, but take a part";

/** What a model client wants and holds of one type. */
export class Interest {
  wildcard = false;
  readonly names = new Set<string>();
  /** Name → text of the body that is held. */
  readonly held = new Map<string, string>();
  /** Name → text that was rejected on this stream, or undefined for a rejected removal. */
  readonly rejected = new Map<string, string | undefined>();

  wants(name: string): boolean {
    return this.wildcard || this.names.has(name);
  }

  add(names: readonly string[]): void {
    for (const name of names) {
      if (name === "*") this.wildcard = true;
      else this.names.add(name);
    }
  }

  remove(names: readonly string[]): void {
    for (const name of names) {
      if (name === "*") this.wildcard = false;
      else this.names.delete(name);
    }
    for (const known of [this.held, this.rejected]) {
      for (const name of known.keys()) if (!this.wants(name)) known.delete(name);
    }
  }
}

/** A response as a model client reads it. */
export interface Heard {
  readonly typeUrl: string;
  readonly version: string;
  readonly nonce: string;
  /** Name and text of what came, name and undefined of what went, if the client wants it. */
  readonly texts: readonly (readonly [name: string, text: string | undefined])[];
}

/**
 * A client as the protocol describes it, at the other end of a stream without a network: requests and responses wait in
 * queues until someone lets one through.
 */
export abstract class ModelClient<Request = unknown> {
  readonly interests = new Map<string, Interest>();
  /** Called with every response before it is taken or rejected. */
  onResponse: (response: Heard) => void = () => undefined;
  /** Sent by the client, not yet read by the server. */
  protected readonly requests: Request[] = [];
  /** Sent by the server, not yet read by the client. */
  private readonly responses: Uint8Array[] = [];

  constructor(typeUrls: readonly string[]) {
    for (const typeUrl of typeUrls) this.interests.set(typeUrl, new Interest());
  }

  abstract subscribe(typeUrl: string, names: readonly string[]): void;
  abstract unsubscribe(typeUrl: string, names: readonly string[]): void;
  protected abstract deliver(request: Request, stream: AdsStream): void;
  /** The first request of a type on a new stream. */
  protected abstract introduce(typeUrl: string, interest: Interest): void;
  protected abstract read(bytes: Uint8Array): Heard;
  protected abstract answer(response: Heard, error: string | undefined): void;

  interest(typeUrl: string): Interest {
    const interest = this.interests.get(typeUrl);
    if (interest === undefined) throw new Error(`the client knows no type ${typeUrl}`);
    return interest;
  }

  /** Versions of the responses on their way. */
  get versionsOnTheWay(): string[] {
    return this.responses.map((bytes) => this.read(bytes).version);
  }

  /** Whether nothing is on its way. */
  get isQuiet(): boolean {
    return this.requests.length + this.responses.length === 0;
  }

  /** Opens a new stream: what was on its way is lost; the client says what it wants and what it holds. */
  connect(): void {
    this.requests.length = 0;
    this.responses.length = 0;
    for (const [typeUrl, interest] of this.interests) {
      interest.rejected.clear();
      if (interest.wildcard || interest.names.size > 0) this.introduce(typeUrl, interest);
    }
  }

  /** Lets the server read one request. */
  serverReads(stream: AdsStream): boolean {
    const request = this.requests.shift();
    if (request === undefined) return false;
    this.deliver(request, stream);
    return true;
  }

  receive(bytes: Uint8Array): void {
    this.responses.push(bytes);
  }

  /** Reads one response, and answers it. */
  clientReads(decision: Decision): boolean {
    const bytes = this.responses.shift();
    if (bytes === undefined) return false;
    const response = this.read(bytes);
    this.onResponse(response);
    const interest = this.interest(response.typeUrl);
    if (decision === "accept") take(interest, response.texts);
    else reject(interest, response.texts, decision);
    this.answer(response, decision === "accept" ? undefined : decision);
    return true;
  }
}

function take({ held, rejected }: Interest, texts: Heard["texts"]): void {
  for (const [name, text] of texts) {
    rejected.delete(name);
    if (text === undefined) held.delete(name);
    else held.set(name, text);
  }
}

function reject(interest: Interest, texts: Heard["texts"], decision: Decision): void {
  const partly = decision === "reject, but take a part" ? texts.filter((_, index) => index % 2 === 0) : [];
  take(interest, partly);
  for (const [name, text] of texts) interest.rejected.set(name, text);
}
