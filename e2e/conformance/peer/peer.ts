import {
  type NodeInit,
  type Received,
  type Request,
  type Response,
  type Variant,
  wires,
} from "./messages.ts";
import { check, Nonconformity } from "./nonconformity.ts";
import { ByteStream, type Ended } from "./stream.ts";
import { checkResponse } from "./strictness.ts";
import { Transcript } from "./transcript.ts";
import { isWildcardType, shortName, types } from "./types.ts";

export interface PeerOptions {
  readonly address: string;
  readonly variant: Variant;
  /** Told in the first request; undefined: none is. */
  readonly node: NodeInit | undefined;
  /** How long a response is waited for. */
  readonly patienceMs: number;
  /** A peer whose stream is over and whose resources this one has; none if left out. */
  readonly resumes?: Peer | undefined;
}

/** Names of routes that nobody has, for probes: port numbers, from this one on. */
const firstProbe = 61_000;

/**
 * One ADS stream of a strict client. It answers nothing by itself, says the same in either variant, and checks every
 * response for what must always hold.
 */
export class Peer implements Disposable {
  readonly variant: Variant;
  readonly transcript = new Transcript();
  readonly ended: Promise<Ended>;
  /** Type → name → resource: what the client holds by what it took. */
  private readonly heldByType = new Map<string, ReadonlyMap<string, Received>>();
  private readonly options: PeerOptions;
  private readonly stream: ByteStream;
  private readonly wanted = new Map<string, Set<string>>();
  private readonly asked = new Map<string, Set<string>>();
  private readonly nonces = new Set<string>();
  /** Type → nonce of the last response that was answered; state of the world only. */
  private readonly answered = new Map<string, string>();
  private introduced = false;
  private probes = 0;

  constructor(options: PeerOptions) {
    this.options = options;
    this.variant = options.variant;
    for (const [typeUrl, held] of options.resumes?.heldByType ?? []) this.heldByType.set(typeUrl, held);
    this.stream = new ByteStream(options.address, wires[options.variant].path);
    this.ended = this.stream.ended;
    void this.ended.then(({ code, details }) => this.transcript.note(`the stream ended: ${code} ${details}`));
  }

  /** What the client holds of a type, by name. */
  held(typeUrl: string): ReadonlyMap<string, Received> {
    return this.heldByType.get(typeUrl) ?? new Map<string, Received>();
  }

  /** Sends exactly this, with the node if it is the first request. */
  say(request: Request): void {
    const { node } = this.options;
    const first = !this.introduced && node !== undefined;
    this.introduced = true;
    const whole = first ? { node, ...request } : request;
    const { names = [], subscribe = [], initialVersions = {}, typeUrl } = whole;
    const asked = setOf(this.asked, typeUrl);
    for (const name of [...names, ...subscribe, ...Object.keys(initialVersions)]) asked.add(name);
    this.transcript.sent(whole);
    this.stream.send(wires[this.variant].encode(whole));
  }

  /** Asks for names besides those asked for before; for everything of a type if none are named. */
  ask(typeUrl: string, ...names: string[]): void {
    const wanted = setOf(this.wanted, typeUrl);
    for (const name of names) wanted.add(name);
    this.saySubscribed(typeUrl, { subscribe: names });
  }

  /** Delta: asks for names, or for everything, and tells what is held of the type. */
  resume(typeUrl: string, ...names: string[]): void {
    const held = [...this.held(typeUrl)].map(([name, { version }]) => [name, version] as const);
    this.say({ typeUrl, subscribe: names, initialVersions: Object.fromEntries(held) });
  }

  /** Ends the subscription to names. */
  drop(typeUrl: string, ...names: string[]): void {
    const wanted = setOf(this.wanted, typeUrl);
    for (const name of names) wanted.delete(name);
    this.saySubscribed(typeUrl, { unsubscribe: names });
  }

  /** The next response, whatever it is; it is not answered. */
  async response(what = "a response"): Promise<Response> {
    const bytes = await this.stream.next(this.options.patienceMs, what);
    const response = wires[this.variant].decode(bytes);
    this.transcript.came(response);
    checkResponse(response, { variant: this.variant, asked: this.asked, nonces: this.nonces });
    this.nonces.add(response.nonce);
    return response;
  }

  /** Takes a response over and acks it. @param more names that are asked for in the same request */
  ack(response: Response, ...more: string[]): void {
    this.hold(response);
    const wanted = setOf(this.wanted, response.typeUrl);
    for (const name of more) wanted.add(name);
    this.saySubscribed(response.typeUrl, {
      subscribe: more,
      nonce: response.nonce,
      version: response.version,
    });
  }

  /** Rejects a response. @param more names that are asked for in the same request */
  nack(response: Response, error: string, ...more: string[]): void {
    const wanted = setOf(this.wanted, response.typeUrl);
    for (const name of more) wanted.add(name);
    this.saySubscribed(response.typeUrl, { subscribe: more, nonce: response.nonce, error });
  }

  /** The next response, which must be of this type; acked. */
  async take(typeUrl: string): Promise<Response> {
    const what = `a ${shortName(typeUrl)} response`;
    const response = await this.response(what);
    check(response.typeUrl === typeUrl, what, `one of ${shortName(response.typeUrl)}`);
    this.ack(response);
    return response;
  }

  /** Takes and acks responses until something holds. @returns them */
  async until(holds: (response: Response) => boolean, what: string): Promise<Response[]> {
    const taken: Response[] = [];
    for (;;) {
      const response = await this.response(what);
      this.ack(response);
      taken.push(response);
      if (holds(response)) return taken;
    }
  }

  /**
   * What the server has to say before it answers a request that is sent now; acked. It answers requests of a stream in
   * their order, so that nothing is left after that.
   */
  async flush(): Promise<Response[]> {
    this.probes += 1;
    const name = String(firstProbe + this.probes);
    this.ask(types.rds, name);
    const isAnswer = ({ resources, removed }: Response): boolean =>
      removed.includes(name) || resources.some((resource) => resource.name === name);
    return (await this.until(isAnswer, `an answer to the probe, a request for the route "${name}"`)).slice(
      0,
      -1,
    );
  }

  /** @throws Nonconformity if the server has anything to say before it answers a request that is sent now. */
  async silence(because: string): Promise<void> {
    const [first] = await this.flush();
    if (first === undefined) return;
    const names = first.resources.map(({ name }) => name);
    throw new Nonconformity(
      `nothing, since ${because}`,
      `a ${shortName(first.typeUrl)} response with [${names.join(", ")}], removed [${first.removed.join(", ")}]`,
    );
  }

  /** Says that no more requests will come. */
  finish(): void {
    this.transcript.note("the client ends its side");
    this.stream.finish();
  }

  [Symbol.dispose](): void {
    this.stream[Symbol.dispose]();
  }

  private saySubscribed(typeUrl: string, request: Omit<Request, "typeUrl" | "names">): void {
    if (this.variant === "delta") {
      const { version: _, ...fields } = request;
      this.say({ typeUrl, ...fields });
      return;
    }
    const { subscribe: _, unsubscribe: __, ...fields } = request;
    // A request of the state of the world that answers nothing new repeats the answer before it.
    if (fields.nonce !== undefined) this.answered.set(typeUrl, fields.nonce);
    const nonce = this.answered.get(typeUrl) ?? "";
    this.say({ typeUrl, ...fields, nonce, names: [...setOf(this.wanted, typeUrl)] });
  }

  private hold({ typeUrl, resources, removed }: Response): void {
    // In the state of the world, what a response of such a type lacks is gone.
    const isWhole = this.variant === "sotw" && isWildcardType(typeUrl);
    const held = isWhole ? undefined : this.heldByType.get(typeUrl);
    const now = new Map(held);
    for (const name of removed) now.delete(name);
    for (const resource of resources) now.set(resource.name, resource);
    this.heldByType.set(typeUrl, now);
  }
}

function setOf(sets: Map<string, Set<string>>, typeUrl: string): Set<string> {
  const found = sets.get(typeUrl) ?? new Set<string>();
  sets.set(typeUrl, found);
  return found;
}
