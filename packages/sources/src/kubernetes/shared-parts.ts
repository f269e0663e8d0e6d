import type { KnownObject } from "@keelson/model";

type ObjectOf<Kind extends string> = Extract<KnownObject, { kind: Kind }>;

/** More different parts than that are forgotten, and kept anew when they come again. */
const mostParts = 20_000;

/**
 * Equal parts of objects as one object in memory: the pods of a deployment have the same labels, containers and
 * conditions, and there are very many pods.
 */
export class SharedParts {
  private readonly parts = new Map<string, unknown>();

  /** The same object, with parts that others have, too. */
  of(object: KnownObject): KnownObject {
    if (object.kind === "Pod") return this.pod(object);
    return object.kind === "EndpointSlice" ? this.slice(object) : object;
  }

  private pod(pod: ObjectOf<"Pod">): KnownObject {
    const { spec, status } = pod.body;
    return {
      ...pod,
      metadata: this.metadata(pod.metadata),
      body: {
        spec: {
          ...spec,
          nodeName: this.share(spec.nodeName),
          serviceAccountName: this.share(spec.serviceAccountName),
          containers: this.share(spec.containers),
        },
        status: { ...status, conditions: this.share(status.conditions) },
      },
    };
  }

  private slice(slice: ObjectOf<"EndpointSlice">): KnownObject {
    const endpoints = slice.body.endpoints?.map((endpoint) => ({
      ...endpoint,
      conditions: this.share(endpoint.conditions),
    }));
    return {
      ...slice,
      metadata: this.metadata(slice.metadata),
      body: { ...slice.body, endpoints, ports: this.share(slice.body.ports) },
    };
  }

  private metadata(metadata: KnownObject["metadata"]): KnownObject["metadata"] {
    const { namespace, labels, annotations } = metadata;
    return {
      ...metadata,
      namespace: this.share(namespace),
      labels: this.share(labels),
      annotations: this.share(annotations),
    };
  }

  /** @returns a part that says the same: this one, or one that was given before. */
  private share<Part>(part: Part): Part {
    const key = typeof part === "string" ? part : JSON.stringify(part);
    if (key === undefined) return part;
    const known = this.parts.get(key);
    // Parts of one spelling are alike: they come from JSON, and a text begins otherwise than an object.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    if (known !== undefined) return known as Part;
    if (this.parts.size >= mostParts) this.parts.clear();
    this.parts.set(key, part);
    return part;
  }
}
