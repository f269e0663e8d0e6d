import { create, fromBinary } from "@bufbuild/protobuf";
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import type { AdsStream } from "../server/ads-stream.ts";
import { sotwRequest } from "../server/sotw-codec.ts";
import { type Heard, type Interest, ModelClient } from "./model-client.ts";

/** Speaks state of the world; resources must have their name as the first word of their text. */
export class SotwModelClient extends ModelClient<DiscoveryRequest> {
  /** Type → nonce of the last response read on this stream. */
  private readonly nonces = new Map<string, string>();
  /** Types that were asked for on this stream. */
  private readonly asked = new Set<string>();
  /** Types of which responses hold what changed only. */
  private readonly partialTypes: readonly string[];

  constructor(typeUrls: readonly string[], partialTypes: readonly string[] = []) {
    super(typeUrls);
    this.partialTypes = partialTypes;
  }

  override connect(): void {
    this.nonces.clear();
    this.asked.clear();
    super.connect();
  }

  subscribe(typeUrl: string, names: readonly string[]): void {
    this.interest(typeUrl).add(names);
    this.request(typeUrl);
  }

  unsubscribe(typeUrl: string, names: readonly string[]): void {
    this.interest(typeUrl).remove(names);
    this.request(typeUrl);
  }

  protected deliver(request: DiscoveryRequest, stream: AdsStream): void {
    stream.onRequest(sotwRequest(request));
  }

  protected introduce(typeUrl: string): void {
    this.request(typeUrl);
  }

  protected read(bytes: Uint8Array): Heard {
    const { typeUrl, nonce, versionInfo: version, resources } = fromBinary(DiscoveryResponseSchema, bytes);
    const interest = this.interest(typeUrl);
    const texts = resources.map(({ value }) => Buffer.from(value).toString());
    const came = texts.map((text) => [text.split(" ")[0] ?? "", text] as const);
    const wanted = came.filter(([name]) => interest.wants(name));
    return { typeUrl, version, nonce, texts: [...wanted, ...this.goneFrom(typeUrl, interest, wanted)] };
  }

  protected answer({ typeUrl, nonce }: Heard, error: string | undefined): void {
    this.nonces.set(typeUrl, nonce);
    this.request(typeUrl, error);
  }

  /** What a response that holds everything lacks. */
  private goneFrom(
    typeUrl: string,
    { held }: Interest,
    came: readonly (readonly [string, string])[],
  ): (readonly [string, undefined])[] {
    if (this.partialTypes.includes(typeUrl)) return [];
    const names = new Set(came.map(([name]) => name));
    return [...held.keys()].filter((name) => !names.has(name)).map((name) => [name, undefined] as const);
  }

  private request(typeUrl: string, error?: string): void {
    const { wildcard, names } = this.interest(typeUrl);
    // A first request without names would want everything.
    if (!wildcard && names.size === 0 && !this.asked.has(typeUrl)) return;
    this.asked.add(typeUrl);
    this.requests.push(
      create(DiscoveryRequestSchema, {
        typeUrl,
        resourceNames: [...(wildcard ? ["*"] : []), ...names],
        responseNonce: this.nonces.get(typeUrl) ?? "",
        ...(error === undefined ? {} : { errorDetail: { code: 3, message: error } }),
      }),
    );
  }
}
