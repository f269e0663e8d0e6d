import { create, type DescMessage, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { ControlPlaneSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
  ResourceSchema,
} from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import type { Resource } from "@keelson/protos";

function numberOf(schema: DescMessage, name: string): number {
  const field = schema.fields.find((candidate) => candidate.name === name);
  if (field === undefined) throw new Error(`${schema.typeName} has no field "${name}"`);
  return field.number;
}

const anyFields = { typeUrl: numberOf(AnySchema, "type_url"), value: numberOf(AnySchema, "value") };
const resourceFields = {
  name: numberOf(ResourceSchema, "name"),
  version: numberOf(ResourceSchema, "version"),
  resource: numberOf(ResourceSchema, "resource"),
};
const deltaFields = {
  version: numberOf(DeltaDiscoveryResponseSchema, "system_version_info"),
  resources: numberOf(DeltaDiscoveryResponseSchema, "resources"),
  typeUrl: numberOf(DeltaDiscoveryResponseSchema, "type_url"),
  removed: numberOf(DeltaDiscoveryResponseSchema, "removed_resources"),
  nonce: numberOf(DeltaDiscoveryResponseSchema, "nonce"),
  controlPlane: numberOf(DeltaDiscoveryResponseSchema, "control_plane"),
};
const sotwFields = {
  version: numberOf(DiscoveryResponseSchema, "version_info"),
  resources: numberOf(DiscoveryResponseSchema, "resources"),
  typeUrl: numberOf(DiscoveryResponseSchema, "type_url"),
  nonce: numberOf(DiscoveryResponseSchema, "nonce"),
  controlPlane: numberOf(DiscoveryResponseSchema, "control_plane"),
};

const length = (writer: BinaryWriter, field: number, bytes: number): BinaryWriter =>
  writer.tag(field, WireType.LengthDelimited).uint32(bytes);

const text = (writer: BinaryWriter, field: number, value: string): BinaryWriter =>
  value === "" ? writer : writer.tag(field, WireType.LengthDelimited).string(value);

/** All of `google.protobuf.Any` but its value's bytes. */
function anyHead(typeUrl: string, body: Uint8Array): Uint8Array {
  return length(text(new BinaryWriter(), anyFields.typeUrl, typeUrl), anyFields.value, body.length).finish();
}

/** How a resource stands in a response: with name and version, with its name alone, or with none of them. */
export type ResourceForm = "versioned" | "unversioned" | "bare";

function headOf(form: ResourceForm, typeUrl: string, resource: Resource): Uint8Array {
  const { name, version, body } = resource;
  const any = anyHead(resource.typeUrl ?? typeUrl, body);
  if (form === "bare") {
    return length(new BinaryWriter(), sotwFields.resources, any.length + body.length)
      .raw(any)
      .finish();
  }
  const start = text(new BinaryWriter(), resourceFields.name, name);
  if (form === "versioned") text(start, resourceFields.version, version);
  const head = length(start, resourceFields.resource, any.length + body.length)
    .raw(any)
    .finish();
  return length(new BinaryWriter(), deltaFields.resources, head.length + body.length)
    .raw(head)
    .finish();
}

/**
 * Encodes resources as they stand in responses, each once for every form: whoever gets a resource gets the same bytes.
 * The body is the end of them and is not copied before the response is put together.
 */
export class ResourceEncoder {
  private readonly heads: Readonly<Record<ResourceForm, WeakMap<Resource, Uint8Array>>> = {
    versioned: new WeakMap(),
    unversioned: new WeakMap(),
    bare: new WeakMap(),
  };
  /** How many resources were encoded so far. */
  count = 0;

  /** What stands before a resource's body: the tag of the field `resources`, lengths, name, version, type URL. */
  head(form: ResourceForm, typeUrl: string, resource: Resource): Uint8Array {
    const known = this.heads[form].get(resource);
    if (known !== undefined) return known;
    const made = headOf(form, typeUrl, resource);
    this.heads[form].set(resource, made);
    this.count += 1;
    return made;
  }
}

export interface ResponseParts {
  readonly typeUrl: string;
  readonly version: string;
  readonly nonce: string;
  readonly resources: readonly Resource[];
  /** Names. */
  readonly removed: readonly string[];
  /** Whether resources are told with their version. */
  readonly versioned: boolean;
  /** Who answers; not told if left out. */
  readonly controlPlaneIdentifier?: string;
}

function controlPlane(writer: BinaryWriter, field: number, { controlPlaneIdentifier }: ResponseParts): void {
  if (controlPlaneIdentifier === undefined) return;
  const message = create(ControlPlaneSchema, { identifier: controlPlaneIdentifier });
  writer.tag(field, WireType.LengthDelimited).bytes(toBinary(ControlPlaneSchema, message));
}

/** The bytes of a DeltaDiscoveryResponse. */
export function encodeDelta(parts: ResponseParts, encoder: ResourceEncoder): Buffer {
  const writer = new BinaryWriter();
  text(writer, deltaFields.version, parts.version);
  text(writer, deltaFields.typeUrl, parts.typeUrl);
  text(writer, deltaFields.nonce, parts.nonce);
  controlPlane(writer, deltaFields.controlPlane, parts);
  for (const name of parts.removed) writer.tag(deltaFields.removed, WireType.LengthDelimited).string(name);
  return assemble(writer.finish(), parts, parts.versioned ? "versioned" : "unversioned", encoder);
}

/** The bytes of a DiscoveryResponse, which has no place for removals. */
export function encodeSotw(parts: ResponseParts, encoder: ResourceEncoder): Buffer {
  const writer = new BinaryWriter();
  text(writer, sotwFields.version, parts.version);
  text(writer, sotwFields.typeUrl, parts.typeUrl);
  text(writer, sotwFields.nonce, parts.nonce);
  controlPlane(writer, sotwFields.controlPlane, parts);
  return assemble(writer.finish(), parts, "bare", encoder);
}

/** Protobuf messages may be concatenated field by field. */
function assemble(
  start: Uint8Array,
  { typeUrl, resources }: ResponseParts,
  form: ResourceForm,
  encoder: ResourceEncoder,
): Buffer {
  const pieces = [start];
  for (const resource of resources) pieces.push(encoder.head(form, typeUrl, resource), resource.body);
  return Buffer.concat(pieces);
}
