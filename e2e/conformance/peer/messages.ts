import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { NodeSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { nameInBody } from "./types.ts";

/** How a stream speaks ADS: of the state of the world, or of what changed. */
export type Variant = "sotw" | "delta";
export const variants: readonly Variant[] = ["sotw", "delta"];

export type NodeInit = MessageInitShape<typeof NodeSchema>;

/** The fields of a request; those that only one variant has are left out in the other. */
export interface Request {
  readonly typeUrl: string;
  readonly node?: NodeInit;
  /** Of the response that is answered. */
  readonly nonce?: string;
  /** Message of error_detail: the response is rejected. */
  readonly error?: string;
  /** State of the world: all names that are wanted. */
  readonly names?: readonly string[];
  /** State of the world: version of what is held. */
  readonly version?: string;
  readonly subscribe?: readonly string[];
  readonly unsubscribe?: readonly string[];
  /** Delta: name → version of what is held from an earlier stream. */
  readonly initialVersions?: Readonly<Record<string, string>>;
}

export interface Received {
  /** As the response names it (delta), or as its body does (state of the world). */
  readonly name: string;
  /** As its body names it; undefined if the type is not known here. */
  readonly bodyName: string | undefined;
  /** Its own version; "" in the state of the world. */
  readonly version: string;
  readonly typeUrl: string;
  readonly body: Uint8Array;
}

export interface Response {
  readonly typeUrl: string;
  /** version_info or system_version_info. */
  readonly version: string;
  readonly nonce: string;
  readonly resources: readonly Received[];
  /** Delta: names of what is gone. */
  readonly removed: readonly string[];
}

/** How one variant is put on the wire. */
export interface Wire {
  /** Of the gRPC method. */
  readonly path: string;
  encode(request: Request): Uint8Array;
  decode(bytes: Uint8Array): Response;
}

const service = "/envoy.service.discovery.v3.AggregatedDiscoveryService";
/** Of gRPC: INVALID_ARGUMENT. */
const invalidArgument = 3;

const common = ({ typeUrl, node, nonce = "", error }: Request) => ({
  typeUrl,
  responseNonce: nonce,
  ...(node === undefined ? {} : { node }),
  ...(error === undefined ? {} : { errorDetail: { code: invalidArgument, message: error } }),
});

const emptyBody = { typeUrl: "", value: new Uint8Array() };

export const wires: Readonly<Record<Variant, Wire>> = {
  sotw: {
    path: `${service}/StreamAggregatedResources`,
    encode: (request) => {
      const { names = [], version: versionInfo = "" } = request;
      const message = { ...common(request), resourceNames: [...names], versionInfo };
      return toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, message));
    },
    decode: (bytes) => {
      const { typeUrl, versionInfo, nonce, resources } = fromBinary(DiscoveryResponseSchema, bytes);
      return {
        typeUrl,
        version: versionInfo,
        nonce,
        removed: [],
        resources: resources.map((body) => {
          const bodyName = nameInBody(body.typeUrl, body.value);
          return { name: bodyName ?? "", bodyName, version: "", typeUrl: body.typeUrl, body: body.value };
        }),
      };
    },
  },
  delta: {
    path: `${service}/DeltaAggregatedResources`,
    encode: (request) => {
      const { subscribe = [], unsubscribe = [], initialVersions = {} } = request;
      const message = {
        ...common(request),
        resourceNamesSubscribe: [...subscribe],
        resourceNamesUnsubscribe: [...unsubscribe],
        initialResourceVersions: { ...initialVersions },
      };
      return toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, message));
    },
    decode: (bytes) => {
      const message = fromBinary(DeltaDiscoveryResponseSchema, bytes);
      return {
        typeUrl: message.typeUrl,
        version: message.systemVersionInfo,
        nonce: message.nonce,
        removed: message.removedResources,
        resources: message.resources.map(({ name, version, resource: body = emptyBody }) => {
          const bodyName = nameInBody(body.typeUrl, body.value);
          return { name, bodyName, version, typeUrl: body.typeUrl, body: body.value };
        }),
      };
    },
  },
};
