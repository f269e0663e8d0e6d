import { createHash } from "node:crypto";
import {
  create,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { type Any, AnySchema, type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";
import type { Resource } from "@keelson/protos";

/** The plain form in which the fields of a message are given to `create`. */
export type Init<Desc extends DescMessage> = Extract<MessageInitShape<Desc>, { readonly $typeName?: never }>;

const typeUrlPrefix = "type.googleapis.com/";

export const typeUrlOf = (schema: DescMessage): string => `${typeUrlPrefix}${schema.typeName}`;

/** A message inside google.protobuf.Any, as Envoy wants its extensions. */
export function pack<Desc extends DescMessage>(schema: Desc, init?: MessageInitShape<Desc>): Any {
  return create(AnySchema, { typeUrl: typeUrlOf(schema), value: toBinary(schema, create(schema, init)) });
}

/** An extension as `typed_config` of a filter, access logger or transport socket. */
export function typedConfig<Desc extends DescMessage>(
  schema: Desc,
  init?: MessageInitShape<Desc>,
): { case: "typedConfig"; value: Any } {
  return { case: "typedConfig", value: pack(schema, init) };
}

export function duration(milliseconds: number | bigint): Duration {
  const total = BigInt(milliseconds);
  return create(DurationSchema, { seconds: total / 1000n, nanos: Number(total % 1000n) * 1_000_000 });
}

/** Undefined for 0, which stands for "not set" in the policy IR. */
export const durationUnlessZero = (milliseconds: bigint): Duration | undefined =>
  milliseconds === 0n ? undefined : duration(milliseconds);

/** @param body the serialised message. */
export function resourceOfBytes(name: string, body: Uint8Array): Resource {
  // 64 bits: two versions of one resource are alike with a probability of 1 in 10^19.
  const version = createHash("sha256").update(body).digest("hex").slice(0, 16);
  return { name, version, body: ownBytes(body) };
}

/** A copy, if the bytes are a small part of a pool of Node's, all of which they would keep in memory. */
const ownBytes = (bytes: Uint8Array): Uint8Array =>
  bytes.buffer.byteLength === bytes.byteLength ? bytes : new Uint8Array(bytes);

export function resourceOf<Desc extends DescMessage>(
  schema: Desc,
  name: string,
  message: MessageShape<Desc>,
): Resource {
  return resourceOfBytes(name, toBinary(schema, message));
}
