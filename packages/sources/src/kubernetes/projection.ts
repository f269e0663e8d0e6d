import { metadataRead, type Origin, type ParsedObject, parseObject } from "@keelson/model";
import type { Collection, RawObject } from "./collection.ts";
import { slicesOfEndpoints } from "./core-endpoints.ts";
import { type Fields, fieldsOf, only } from "./fields.ts";
import { SharedParts } from "./shared-parts.ts";
import { trimPod, trimSlice } from "./trim.ts";

/** Objects of the API server have no lines; messages name them themselves. */
const origin: Origin = { locate: () => ({ file: "kubernetes" }) };

/** Of all sources: what is shared are values that never change. */
const shared = new SharedParts();

const revisionLabel = "istio.io/rev";

export interface ProjectionOptions {
  readonly kind: string;
  /** Objects that are labelled with another revision are not meant for us; undefined: all are. */
  readonly revision: string | undefined;
}

/**
 * Makes of an object, as the API server sends it, what the model reads of it, by the same checks as an object in a file.
 * @returns nothing if it is not meant for us; several if an old API says in one object what a new one says in several
 */
export function project(
  { kind, revision }: ProjectionOptions,
  collection: Collection,
  item: RawObject,
): ParsedObject[] {
  if (revision !== undefined && !isOfRevision(item, revision)) return [];
  if (kind !== "EndpointSlice") return [parse(kind, collection, item)];
  const slices = collection.plural === "endpoints" ? slicesOfEndpoints(item) : [item];
  return slices.map((slice) => parse(kind, sliceVersion, slice));
}

const sliceVersion = { group: "discovery.k8s.io", version: "v1" };

/** As istiod: without the label, an object is meant for all. */
function isOfRevision({ metadata }: RawObject, revision: string): boolean {
  const own = fieldsOf(metadata["labels"])[revisionLabel];
  return own === undefined || own === "" || own === revision;
}

function parse(
  kind: string,
  { group, version }: Pick<Collection, "group" | "version">,
  { metadata, ...body }: RawObject,
): ParsedObject {
  const apiVersion = group === "" ? version : `${group}/${version}`;
  const { object, problems } = parseObject(
    { ...trim(kind, body), apiVersion, kind, metadata: trimMetadata(kind, group, metadata) },
    origin,
  );
  return object === undefined ? { problems } : { object: shared.of(object), problems };
}

function trim(kind: string, body: Fields): Fields {
  if (kind === "Pod") return trimPod(body);
  if (kind === "EndpointSlice") return trimSlice(body);
  // What others write about an object is not read.
  const { status: _, ...said } = body;
  return said;
}

/** Kinds that are not put into an order by their age. */
const ageless = new Set(["Pod", "EndpointSlice", "Namespace", "Node"]);

function trimMetadata(kind: string, group: string, metadata: Fields): Fields {
  const read = metadataRead(kind, group);
  const labels = fieldsOf(metadata["labels"]);
  return {
    ...only(metadata, "name", "namespace"),
    ...(kind === "Pod" ? only(metadata, "uid") : {}),
    ...(ageless.has(kind) ? {} : only(metadata, "creationTimestamp")),
    labels: read.labels === "all" ? labels : only(labels, ...read.labels),
    annotations: only(fieldsOf(metadata["annotations"]), ...read.annotations),
  };
}
