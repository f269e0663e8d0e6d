import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { NodeSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import type * as grpc from "@grpc/grpc-js";
import type { Variant } from "../server/ads-request.ts";
import { deltaAds, sotwAds } from "../service.ts";
import { RawStream, rawClient } from "./raw-stream.ts";

/** A response, in whichever variant it came. */
export interface PeerResponse {
  readonly typeUrl: string;
  readonly version: string;
  readonly nonce: string;
  /** Of its resources. */
  readonly bodies: readonly Uint8Array[];
  /** The same as texts. */
  readonly texts: readonly string[];
  /** Names and versions of its resources, and names that are removed; empty in the state of the world. */
  readonly names: readonly string[];
  readonly versions: readonly string[];
  readonly removed: readonly string[];
  readonly controlPlane: string | undefined;
  /** Type URLs that its resources say. */
  readonly typeUrls: readonly string[];
}

interface PeerRequest {
  readonly typeUrl: string;
  /** What is asked for besides what was asked for before. */
  readonly more?: readonly string[];
  /** What is not wanted any more. */
  readonly less?: readonly string[];
  readonly nonce?: string;
  readonly error?: string;
  /** Name → version of what is held from an earlier stream; delta only. */
  readonly held?: Readonly<Record<string, string>>;
}

/** A client that says the same in either variant of ADS, and answers nothing by itself. */
export class AdsPeer implements Disposable {
  readonly stream: RawStream<PeerResponse>;
  private readonly variant: Variant;
  private readonly client: grpc.Client;
  private readonly wanted = new Map<string, Set<string>>();
  private node: MessageInitShape<typeof NodeSchema> | undefined;
  private probes = 0;

  /** @param node told in the first request; none if undefined. */
  constructor(address: string, variant: Variant, node?: MessageInitShape<typeof NodeSchema>) {
    this.variant = variant;
    this.client = rawClient(address);
    this.node = node;
    const { path } =
      variant === "delta" ? deltaAds.deltaAggregatedResources : sotwAds.streamAggregatedResources;
    const read = variant === "delta" ? readDelta : readSotw;
    this.stream = new RawStream(this.client.makeBidiStreamRequest(path, (bytes: Buffer) => bytes, read));
  }

  /** Asks for everything of a type, or for names besides those asked for before. */
  ask(typeUrl: string, ...more: string[]): void {
    this.send({ typeUrl, more });
  }

  drop(typeUrl: string, ...less: string[]): void {
    this.send({ typeUrl, less });
  }

  next(): Promise<PeerResponse> {
    return this.stream.next();
  }

  ack({ typeUrl, nonce }: PeerResponse, more: readonly string[] = []): void {
    this.send({ typeUrl, nonce, more });
  }

  nack({ typeUrl, nonce }: PeerResponse, error: string): void {
    this.send({ typeUrl, nonce, error });
  }

  /** The next response, acked. */
  async take(): Promise<PeerResponse> {
    const response = await this.next();
    this.ack(response);
    return response;
  }

  /** Resolves when the server has read all that was sent before. @throws Error if it had anything to say. */
  async quiet(): Promise<void> {
    this.probes += 1;
    const typeUrl = `type.test/Probe${this.probes}`;
    this.ask(typeUrl);
    const response = await this.take();
    if (response.typeUrl !== typeUrl) throw new Error(`not quiet: ${JSON.stringify(response)}`);
  }

  send({ typeUrl, more = [], less = [], nonce, error, held = {} }: PeerRequest): void {
    const wanted = this.wanted.get(typeUrl) ?? new Set();
    this.wanted.set(typeUrl, wanted);
    for (const name of more) wanted.add(name);
    for (const name of less) wanted.delete(name);
    const common = {
      typeUrl,
      ...(this.node === undefined ? {} : { node: this.node }),
      ...(error === undefined ? {} : { errorDetail: { code: 3, message: error } }),
    };
    this.node = undefined;
    if (this.variant === "delta") {
      const fields = { resourceNamesSubscribe: [...more], resourceNamesUnsubscribe: [...less] };
      const initialResourceVersions = { ...held };
      const request = { ...common, ...fields, initialResourceVersions, responseNonce: nonce ?? "" };
      this.stream.sendBytes(
        toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, request)),
      );
    } else {
      const request = { ...common, resourceNames: [...wanted], responseNonce: this.nonceOf(typeUrl, nonce) };
      this.stream.sendBytes(toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, request)));
    }
  }

  [Symbol.dispose](): void {
    this.client.close();
  }

  private readonly nonces = new Map<string, string>();

  /** A request of the state of the world that answers nothing repeats the nonce of the one before. */
  private nonceOf(typeUrl: string, told: string | undefined): string {
    if (told !== undefined) this.nonces.set(typeUrl, told);
    return this.nonces.get(typeUrl) ?? "";
  }
}

const bodiesOf = (bodies: readonly Uint8Array[]): Pick<PeerResponse, "bodies" | "texts"> => ({
  bodies,
  texts: bodies.map((body) => Buffer.from(body).toString()),
});

function readDelta(bytes: Buffer): PeerResponse {
  const { typeUrl, nonce, resources, ...more } = fromBinary(DeltaDiscoveryResponseSchema, bytes);
  return {
    typeUrl,
    nonce,
    version: more.systemVersionInfo,
    ...bodiesOf(resources.map(({ resource }) => resource?.value ?? new Uint8Array())),
    names: resources.map(({ name }) => name),
    versions: resources.map(({ version }) => version),
    removed: more.removedResources,
    controlPlane: more.controlPlane?.identifier,
    typeUrls: resources.map(({ resource }) => resource?.typeUrl ?? ""),
  };
}

function readSotw(bytes: Buffer): PeerResponse {
  const { typeUrl, nonce, resources, versionInfo, controlPlane } = fromBinary(DiscoveryResponseSchema, bytes);
  return {
    typeUrl,
    nonce,
    version: versionInfo,
    ...bodiesOf(resources.map(({ value }) => value)),
    names: [],
    versions: [],
    removed: [],
    controlPlane: controlPlane?.identifier,
    typeUrls: resources.map((resource) => resource.typeUrl),
  };
}
