import { fromBinary } from "@bufbuild/protobuf";
import { DeltaDiscoveryResponseSchema } from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AdsPeer } from "../testing/ads-peer.ts";
import { node } from "../testing/node-streams.ts";
import { resource, snapshot } from "../testing/resources.ts";
import { TestServer } from "../testing/test-server.ts";
import type { Variant } from "./ads-request.ts";
import { encodeDelta, ResourceEncoder } from "./encoding.ts";
import { type ResponseContent, SharedResponses } from "./shared-responses.ts";

const typeUrl = "type.test/Thing";
const pool = ["a", "b", "c"].map((name) => resource(name));

const contents: fc.Arbitrary<ResponseContent> = fc.record({
  typeUrl: fc.constantFrom(typeUrl, "type.test/Other"),
  version: fc.constantFrom("1", "2"),
  versioned: fc.boolean(),
  resources: fc.subarray(pool),
  removed: fc.subarray(["x", "y"]),
});

/** Responses, encoded once where they may be, with nonces that count up. */
function sharing() {
  const encoder = new ResourceEncoder();
  const shared = new SharedResponses((parts) => encodeDelta(parts, encoder));
  let nonces = 0;
  return (content: ResponseContent) => shared.of(content, () => String(++nonces));
}

test("whatever was asked for before, a response says what it should, under the nonce that is told with it", () => {
  fc.assert(
    fc.property(fc.array(contents, { maxLength: 30 }), (list) => {
      const encode = sharing();
      for (const content of list) {
        const { nonce, bytes } = encode(content);
        const message = fromBinary(DeltaDiscoveryResponseSchema, bytes);
        expect([message.typeUrl, message.systemVersionInfo, message.nonce]).toEqual([
          content.typeUrl,
          content.version,
          nonce,
        ]);
        expect(message.removedResources).toEqual(content.removed);
        expect(message.resources.map(({ name, version }) => [name, version])).toEqual(
          content.resources.map(({ name, version }) => [name, content.versioned ? version : ""]),
        );
      }
    }),
  );
});

describe("the bytes are the same", () => {
  const content: ResponseContent = {
    typeUrl,
    version: "1",
    versioned: true,
    resources: pool.slice(0, 2),
    removed: ["x"],
  };

  test("for the same content of one version", () => {
    const encode = sharing();
    expect(encode({ ...content, resources: [...content.resources] })).toBe(encode(content));
  });

  const others: readonly (readonly [string, Partial<ResponseContent>])[] = [
    ["type", { typeUrl: "type.test/Other" }],
    ["version", { version: "2" }],
    ["form", { versioned: false }],
    ["resources", { resources: pool.slice(0, 1) }],
    ["resource of the same name", { resources: [resource("a"), ...pool.slice(1, 2)] }],
    ["removals", { removed: [] }],
  ];
  test.each(others)("and not for another %s", (_, other) => {
    const encode = sharing();
    const first = encode(content);
    const second = encode({ ...content, ...other });
    expect(second.nonce).not.toBe(first.nonce);
    expect(second.bytes.equals(first.bytes)).toBe(false);
  });

  test("but not for ever: large ones make room for each other", () => {
    const encode = sharing();
    const large = Array.from({ length: 20 }, (_, i) => resource(`large-${i}`, "x".repeat(200_000)));
    const first = encode({ ...content, resources: large.slice(0, 1) });
    for (const each of large.slice(1)) encode({ ...content, resources: [each] });
    expect(encode({ ...content, resources: large.slice(0, 1) })).not.toBe(first);
  });
});

describe.each<Variant>(["delta", "sotw"])("%s", (variant) => {
  test("streams that are told the same get one nonce, and each of a stream's responses has another", async () => {
    using server = await TestServer.start({ types: [{ typeUrl, wildcard: false, versionForm: "time" }] });
    const serve = (version: number, text: string): void =>
      server.xds.setSnapshot(snapshot(version, { [typeUrl]: [resource("a", text)] }));
    serve(1, "one");
    using first = new AdsPeer(server.address, variant, node("n1"));
    using second = new AdsPeer(server.address, variant, node("n2"));
    const nonces: string[] = [];
    const takeBoth = async (text: string): Promise<void> => {
      const responses = [await first.take(), await second.take()] as const;
      expect(responses[1]).toEqual(responses[0]);
      expect(responses[0].texts).toEqual([text]);
      nonces.push(responses[0].nonce);
    };
    for (const peer of [first, second]) peer.ask(typeUrl, "a");
    await takeBoth("one");
    serve(2, "two");
    await takeBoth("two");
    // The same once more, in the same version.
    if (variant === "delta") first.ask(typeUrl, "a");
    else first.send({ typeUrl, nonce: "" });
    const again = await first.take();
    expect(again.texts).toEqual(["two"]);
    nonces.push(again.nonce);
    expect(new Set(nonces).size).toBe(3);
    await first.quiet();
  });
});
