import { create, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
} from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import type { AdsStream } from "../server/ads-stream.ts";
import { deltaRequest } from "../server/delta-codec.ts";

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

  forgetUnwanted(): void {
    for (const known of [this.held, this.rejected]) {
      for (const name of known.keys()) if (!this.wants(name)) known.delete(name);
    }
  }
}

/**
 * A client as the protocol describes it, at the other end of a stream without a network: requests and responses wait in
 * queues until someone lets one through.
 */
export class ModelClient {
  readonly interests = new Map<string, Interest>();
  /** Sent by the client, not yet read by the server. */
  readonly requests: DeltaDiscoveryRequest[] = [];
  /** Sent by the server, not yet read by the client. */
  readonly responses: DeltaDiscoveryResponse[] = [];
  /** Called with every response before it is taken or rejected. */
  onResponse: (response: DeltaDiscoveryResponse) => void = () => undefined;
  private readonly versionOf: (text: string) => string;

  constructor(typeUrls: readonly string[], versionOf: (text: string) => string) {
    this.versionOf = versionOf;
    for (const typeUrl of typeUrls) this.interests.set(typeUrl, new Interest());
  }

  interest(typeUrl: string): Interest {
    const interest = this.interests.get(typeUrl);
    if (interest === undefined) throw new Error(`the client knows no type ${typeUrl}`);
    return interest;
  }

  /** Opens a new stream: what was on its way is lost; the client says what it wants and what it holds. */
  connect(node: MessageInitShape<typeof DeltaDiscoveryRequestSchema>["node"]): void {
    this.requests.length = 0;
    this.responses.length = 0;
    for (const [typeUrl, { wildcard, names, held, rejected }] of this.interests) {
      rejected.clear();
      if (!wildcard && names.size === 0) continue;
      this.request({
        ...(node === undefined ? {} : { node }),
        typeUrl,
        resourceNamesSubscribe: [...(wildcard ? ["*"] : []), ...names],
        initialResourceVersions: Object.fromEntries(
          [...held].map(([name, text]) => [name, this.versionOf(text)]),
        ),
      });
    }
  }

  subscribe(typeUrl: string, names: readonly string[]): void {
    const interest = this.interest(typeUrl);
    for (const name of names) {
      if (name === "*") interest.wildcard = true;
      else interest.names.add(name);
      // That is why a client may ask for what it has asked for already.
      interest.held.delete(name);
    }
    this.request({ typeUrl, resourceNamesSubscribe: [...names] });
  }

  unsubscribe(typeUrl: string, names: readonly string[]): void {
    const interest = this.interest(typeUrl);
    for (const name of names) {
      if (name === "*") interest.wildcard = false;
      else interest.names.delete(name);
    }
    interest.forgetUnwanted();
    this.request({ typeUrl, resourceNamesUnsubscribe: [...names] });
  }

  /** Lets the server read one request. */
  serverReads(stream: AdsStream): boolean {
    const request = this.requests.shift();
    if (request !== undefined) stream.onRequest(deltaRequest(request));
    return request !== undefined;
  }

  receive(bytes: Uint8Array): void {
    this.responses.push(fromBinary(DeltaDiscoveryResponseSchema, bytes));
  }

  /** Reads one response, and answers it. */
  clientReads(decision: Decision): boolean {
    const response = this.responses.shift();
    if (response === undefined) return false;
    this.onResponse(response);
    const { typeUrl, nonce } = response;
    const interest = this.interest(typeUrl);
    const texts = textsOf(response, interest);
    if (decision === "accept") take(interest, texts);
    else reject(interest, texts, decision);
    const errorDetail = decision === "accept" ? {} : { errorDetail: { code: 3, message: decision } };
    this.request({ typeUrl, responseNonce: nonce, ...errorDetail });
    return true;
  }

  private request(fields: MessageInitShape<typeof DeltaDiscoveryRequestSchema>): void {
    this.requests.push(create(DeltaDiscoveryRequestSchema, fields));
  }
}

type Texts = readonly (readonly [name: string, text: string | undefined])[];

/** Name and text of what came, name and undefined of what went. What the client does not want is ignored. */
function textsOf(response: DeltaDiscoveryResponse, interest: Interest): Texts {
  const came = response.resources.map(
    ({ name, resource }) => [name, Buffer.from(resource?.value ?? []).toString()] as const,
  );
  const went = response.removedResources.map((name) => [name, undefined] as const);
  return [...came, ...went].filter(([name]) => interest.wants(name));
}

function take({ held, rejected }: Interest, texts: Texts): void {
  for (const [name, text] of texts) {
    rejected.delete(name);
    if (text === undefined) held.delete(name);
    else held.set(name, text);
  }
}

function reject(interest: Interest, texts: Texts, decision: Decision): void {
  const partly = decision === "reject, but take a part" ? texts.filter((_, index) => index % 2 === 0) : [];
  take(interest, partly);
  for (const [name, text] of texts) interest.rejected.set(name, text);
}
