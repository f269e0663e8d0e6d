import { create, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
} from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import type { AdsStream } from "../server/ads-stream.ts";
import { deltaRequest } from "../server/delta-codec.ts";
import { type Heard, type Interest, ModelClient } from "./model-client.ts";
import { versionOf } from "./resources.ts";

/** Speaks delta. */
export class DeltaModelClient extends ModelClient<DeltaDiscoveryRequest> {
  subscribe(typeUrl: string, names: readonly string[]): void {
    const interest = this.interest(typeUrl);
    interest.add(names);
    // That is why a client may ask for what it has asked for already.
    for (const name of names) interest.held.delete(name);
    this.request({ typeUrl, resourceNamesSubscribe: [...names] });
  }

  unsubscribe(typeUrl: string, names: readonly string[]): void {
    this.interest(typeUrl).remove(names);
    this.request({ typeUrl, resourceNamesUnsubscribe: [...names] });
  }

  protected deliver(request: DeltaDiscoveryRequest, stream: AdsStream): void {
    stream.onRequest(deltaRequest(request));
  }

  protected introduce(typeUrl: string, { wildcard, names, held }: Interest): void {
    this.request({
      typeUrl,
      resourceNamesSubscribe: [...(wildcard ? ["*"] : []), ...names],
      initialResourceVersions: Object.fromEntries([...held].map(([name, text]) => [name, versionOf(text)])),
    });
  }

  protected read(bytes: Uint8Array): Heard {
    const response = fromBinary(DeltaDiscoveryResponseSchema, bytes);
    const { typeUrl, nonce, systemVersionInfo: version } = response;
    const came = response.resources.map(
      ({ name, resource }) => [name, Buffer.from(resource?.value ?? []).toString()] as const,
    );
    const went = response.removedResources.map((name) => [name, undefined] as const);
    const interest = this.interest(typeUrl);
    return { typeUrl, version, nonce, texts: [...came, ...went].filter(([name]) => interest.wants(name)) };
  }

  protected answer({ typeUrl, nonce }: Heard, error: string | undefined): void {
    const errorDetail = error === undefined ? {} : { errorDetail: { code: 3, message: error } };
    this.request({ typeUrl, responseNonce: nonce, ...errorDetail });
  }

  private request(fields: MessageInitShape<typeof DeltaDiscoveryRequestSchema>): void {
    this.requests.push(create(DeltaDiscoveryRequestSchema, fields));
  }
}
