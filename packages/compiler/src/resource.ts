import { createHash } from "node:crypto";
import { create, type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { Resource } from "@keelson/protos";
import { type EndpointSet, EndpointSetSchema } from "@keelson/protos/policy";

/** Equal bytes, equal version. 64 bits: two versions of one resource are alike with a probability of 1 in 10^19. */
export const versionOf = (body: Uint8Array): string =>
  // Not the beginning of a longer text, which would be kept with it.
  createHash("sha256").update(body).digest().toString("hex", 0, 8);

/** A message in its wire form. */
export function resource<Desc extends DescMessage>(
  schema: Desc,
  name: string,
  message: MessageShape<Desc>,
): Resource {
  const body = toBinary(schema, message);
  return { name, version: versionOf(body), body };
}

/** What a node can connect to: it looks up no names, so endpoints that have no address are none to it. It knows no sessions. */
export function nodeEndpointSet(set: EndpointSet): EndpointSet {
  if (set.draining.length === 0 && set.endpoints.every(({ address }) => address.length > 0)) return set;
  const endpoints = set.endpoints.filter(({ address }) => address.length > 0);
  return create(EndpointSetSchema, { name: set.name, endpoints });
}
