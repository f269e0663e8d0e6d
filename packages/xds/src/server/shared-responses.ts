import type { Resource } from "@keelson/protos";
import type { ResponseParts } from "./encoding.ts";

/** A response as bytes, with the nonce that is in them. */
export interface EncodedResponse {
  readonly nonce: string;
  readonly bytes: Buffer;
}

/** All of a response but its nonce. */
export type ResponseContent = Omit<ResponseParts, "nonce">;

interface Shared extends EncodedResponse {
  readonly content: ResponseContent;
}

/** Most bytes of responses that are kept; whoever is told the same is told it at about the same time. */
const keptBytes = 2 * 1024 * 1024;

/**
 * Encodes a response once for all streams that are told the same of the same version, nonce and all: a change that a
 * thousand clients see is a thousand times the same buffer. (A nonce tells the responses of one stream apart.)
 */
export class SharedResponses {
  private readonly encode: (parts: ResponseParts) => Buffer;
  /** Those of one version, under their first resource. */
  private readonly kept = new Map<Resource, Shared[]>();
  private version = "";
  private bytes = 0;

  constructor(encode: (parts: ResponseParts) => Buffer) {
    this.encode = encode;
  }

  /** @param newNonce a nonce that no response before has */
  of(content: ResponseContent, newNonce: () => string): EncodedResponse {
    const [first] = content.resources;
    if (first === undefined) return this.make(content, newNonce());
    if (content.version !== this.version) this.clear(content.version);
    const alike = this.kept.get(first);
    for (const each of alike ?? []) if (isSame(each.content, content)) return each;
    const made = this.make(content, newNonce());
    if (this.bytes + made.bytes.length > keptBytes) this.clear(content.version);
    this.bytes += made.bytes.length;
    this.kept.set(first, [...(this.kept.get(first) ?? []), made]);
    return made;
  }

  private make(content: ResponseContent, nonce: string): Shared {
    return { content, nonce, bytes: this.encode({ ...content, nonce }) };
  }

  private clear(version: string): void {
    this.version = version;
    this.kept.clear();
    this.bytes = 0;
  }
}

const isSame = (a: ResponseContent, b: ResponseContent): boolean =>
  a.typeUrl === b.typeUrl &&
  a.versioned === b.versioned &&
  a.controlPlaneIdentifier === b.controlPlaneIdentifier &&
  isSameList(a.resources, b.resources) &&
  isSameList(a.removed, b.removed);

const isSameList = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((each, i) => each === b[i]);
