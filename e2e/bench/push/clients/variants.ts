import { eachField, fieldOf, firstField } from "./fields.ts";

/** What a response brings. */
export interface Response {
  readonly typeUrl: string;
  readonly nonce: Buffer;
  /** Not decoded, by name. */
  readonly resources: readonly { readonly name: string; readonly bytes: Buffer }[];
}

/** How one of the two variants of ADS is spoken; field numbers are those of envoy.service.discovery.v3. */
export interface Variant {
  readonly path: string;
  /** The part of a stream's first request that says who asks. */
  node(node: Buffer): Buffer;
  /** A request that subscribes to `names`; to all of a type with none. */
  request(typeUrl: string, names: readonly string[]): Buffer;
  /** An ack, but for the nonce. @param names that are subscribed to */
  ack(typeUrl: string, names: readonly string[]): Buffer;
  /** The rest of an ack. */
  nonce(nonce: Buffer): Buffer;
  read(message: Buffer): Response;
}

const service = "/envoy.service.discovery.v3.AggregatedDiscoveryService";
const none = Buffer.alloc(0);
const text = (bytes: Buffer = none): string => bytes.toString("latin1");

const fields = (typeUrlField: number, typeUrl: string, names: readonly string[]): Buffer =>
  Buffer.concat([fieldOf(typeUrlField, typeUrl), ...names.map((name) => fieldOf(3, name))]);

/** @param nameOf finds the name of a resource as it stands in a response */
const reader =
  (nameOf: (resource: Buffer) => Buffer | undefined): Variant["read"] =>
  (message) => {
    const found: { typeUrl: Buffer; nonce: Buffer } = { typeUrl: none, nonce: none };
    const resources: { name: string; bytes: Buffer }[] = [];
    eachField(message, (field, value) => {
      if (field === 2) resources.push({ name: text(nameOf(value)), bytes: value });
      else if (field === 4) found.typeUrl = value;
      else if (field === 5) found.nonce = value;
    });
    return { typeUrl: text(found.typeUrl), nonce: found.nonce, resources };
  };

export const variants: Readonly<Record<"delta" | "sotw", Variant>> = {
  delta: {
    path: `${service}/DeltaAggregatedResources`,
    node: (node) => fieldOf(1, node),
    request: (typeUrl, names) => fields(2, typeUrl, names),
    ack: (typeUrl) => fields(2, typeUrl, []),
    nonce: (nonce) => fieldOf(6, nonce),
    read: reader((resource) => firstField(resource, 3)),
  },
  sotw: {
    path: `${service}/StreamAggregatedResources`,
    node: (node) => fieldOf(2, node),
    request: (typeUrl, names) => fields(4, typeUrl, names),
    ack: (typeUrl, names) => fields(4, typeUrl, names),
    nonce: (nonce) => fieldOf(5, nonce),
    // Clusters, endpoints, listeners and routes all have their name in field 1; it stands in an Any.
    read: reader((any) => firstField(firstField(any, 2) ?? none, 1)),
  },
};
