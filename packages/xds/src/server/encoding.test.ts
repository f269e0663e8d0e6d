import { fromBinary } from "@bufbuild/protobuf";
import { DeltaDiscoveryResponseSchema } from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { resource } from "../testing/resources.ts";
import { encodeResponse, ResourceEncoder } from "./encoding.ts";

const typeUrl = "type.test/Thing";
const decode = (bytes: Uint8Array) => fromBinary(DeltaDiscoveryResponseSchema, bytes);

test("a response that is put together from pieces decodes to what went in", () => {
  const thing = fc.record({ name: fc.string(), text: fc.string({ maxLength: 300 }) });
  const things = fc.uniqueArray(thing, { selector: ({ name }) => name });
  const names = fc.array(fc.string());
  fc.assert(
    fc.property(things, names, fc.string(), fc.string(), (list, removed, systemVersion, nonce) => {
      const added = list.map(({ name, text }) => resource(name, text));
      const decoded = decode(
        encodeResponse({ typeUrl, systemVersion, nonce, added, removed }, new ResourceEncoder()),
      );
      expect(decoded).toMatchObject({
        typeUrl,
        systemVersionInfo: systemVersion,
        nonce,
        removedResources: removed,
      });
      expect(decoded.$unknown).toBeUndefined();
      expect(
        decoded.resources.map(({ name, version, resource: any }) => ({
          name,
          version,
          typeUrl: any?.typeUrl,
          body: Buffer.from(any?.value ?? []),
        })),
      ).toEqual(
        added.map(({ name, version, body }) => ({ name, version, typeUrl, body: Buffer.from(body) })),
      );
    }),
  );
});

test("an object is encoded once, however many responses it goes into", () => {
  const encoder = new ResourceEncoder();
  const shared = resource("shared");
  const responses = ["1", "2", "3"].map((nonce) =>
    encodeResponse(
      { typeUrl, systemVersion: "1", nonce, added: [shared, resource(nonce)], removed: [] },
      encoder,
    ),
  );
  expect(encoder.count).toBe(4);
  expect(responses.map((bytes) => decode(bytes).resources.map(({ name }) => name))).toEqual([
    ["shared", "1"],
    ["shared", "2"],
    ["shared", "3"],
  ]);
});

test("nothing added and nothing removed is still a response with its type and nonce", () => {
  const bytes = encodeResponse(
    { typeUrl, systemVersion: "7", nonce: "3", added: [], removed: [] },
    new ResourceEncoder(),
  );
  expect(decode(bytes)).toMatchObject({ typeUrl, systemVersionInfo: "7", nonce: "3", resources: [] });
});
