import { createHash } from "node:crypto";
import type { Resource, ResourceSnapshot } from "@keelson/protos";

/** A resource whose body is `text`, and whose version follows from it. */
export function resource(name: string, text = name, node?: string): Resource {
  const body = Buffer.from(text);
  return { name, version: versionOf(text), body, ...(node === undefined ? {} : { node }) };
}

export function versionOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

export function snapshot(
  version: number,
  types: Readonly<Record<string, readonly Resource[]>>,
): ResourceSnapshot {
  return {
    version: BigInt(version),
    resources: new Map(Object.entries(types).map(([typeUrl, list]) => [typeUrl, named(list)])),
  };
}

export function named(resources: readonly Resource[]): Map<string, Resource> {
  return new Map(resources.map((each) => [each.name, each]));
}
