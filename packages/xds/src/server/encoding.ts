import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import {
  DeltaDiscoveryResponseSchema,
  ResourceSchema,
} from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import type { Resource } from "@keelson/protos";

const fieldOf = (name: string): number => {
  const field = DeltaDiscoveryResponseSchema.fields.find((candidate) => candidate.name === name);
  if (field === undefined) throw new Error(`DeltaDiscoveryResponse has no field "${name}"`);
  return field.number;
};
const resourcesField = fieldOf("resources");

/**
 * Encodes resources as they stand in a DeltaDiscoveryResponse, each once: whoever gets a resource gets the same
 * bytes.
 */
export class ResourceEncoder {
  private readonly encoded = new WeakMap<Resource, Uint8Array>();
  /** How many resources were encoded so far. */
  count = 0;

  /** The resource as the field `resources` of a response, tag and length included. */
  encode(typeUrl: string, resource: Resource): Uint8Array {
    const known = this.encoded.get(resource);
    if (known !== undefined) return known;
    const message = create(ResourceSchema, {
      name: resource.name,
      version: resource.version,
      resource: create(AnySchema, { typeUrl, value: resource.body }),
    });
    const bytes = new BinaryWriter()
      .tag(resourcesField, WireType.LengthDelimited)
      .bytes(toBinary(ResourceSchema, message))
      .finish();
    this.encoded.set(resource, bytes);
    this.count += 1;
    return bytes;
  }
}

export interface ResponseParts {
  readonly typeUrl: string;
  readonly systemVersion: string;
  readonly nonce: string;
  readonly added: readonly Resource[];
  readonly removed: readonly string[];
}

/** The bytes of a DeltaDiscoveryResponse: protobuf messages may be concatenated field by field. */
export function encodeResponse(parts: ResponseParts, encoder: ResourceEncoder): Buffer {
  const head = toBinary(
    DeltaDiscoveryResponseSchema,
    create(DeltaDiscoveryResponseSchema, {
      systemVersionInfo: parts.systemVersion,
      typeUrl: parts.typeUrl,
      nonce: parts.nonce,
      removedResources: [...parts.removed],
    }),
  );
  return Buffer.concat([head, ...parts.added.map((resource) => encoder.encode(parts.typeUrl, resource))]);
}
