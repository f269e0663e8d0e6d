import { fromBinary } from "@bufbuild/protobuf";
import { DeltaDiscoveryResponseSchema } from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { resource } from "../testing/resources.ts";
import { encodeDelta, ResourceEncoder } from "./encoding.ts";

const typeUrl = "type.test/Thing";
const decode = (bytes: Uint8Array) => fromBinary(DeltaDiscoveryResponseSchema, bytes);

test("a response that is put together from pieces decodes to what went in", () => {
  const thing = fc.record({ name: fc.string(), text: fc.string({ maxLength: 300 }) });
  const things = fc.uniqueArray(thing, { selector: ({ name }) => name });
  const names = fc.array(fc.string());
  fc.assert(
    fc.property(things, names, fc.string(), fc.string(), (list, removed, number, nonce) => {
      const resources = list.map(({ name, text }) => resource(name, text));
      const decoded = decode(
        encodeDelta(
          { typeUrl, version: number, nonce, resources, removed, versioned: true },
          new ResourceEncoder(),
        ),
      );
      expect(decoded).toMatchObject({
        typeUrl,
        systemVersionInfo: number,
        nonce,
        removedResources: removed,
      });
      expect(decoded.$unknown).toBeUndefined();
      expect(
        decoded.resources.map(({ resource: any, ...told }) => ({
          name: told.name,
          version: told.version,
          typeUrl: any?.typeUrl,
          body: Buffer.from(any?.value ?? []),
        })),
      ).toEqual(
        resources.map(({ name, version, body }) => ({ name, version, typeUrl, body: Buffer.from(body) })),
      );
    }),
  );
});

test("an object is encoded once, however many responses it goes into", () => {
  const encoder = new ResourceEncoder();
  const shared = resource("shared");
  const responses = ["1", "2", "3"].map((nonce) =>
    encodeDelta(
      { typeUrl, version: "1", nonce, resources: [shared, resource(nonce)], removed: [], versioned: true },
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
  const bytes = encodeDelta(
    { typeUrl, version: "7", nonce: "3", resources: [], removed: [], versioned: true },
    new ResourceEncoder(),
  );
  expect(decode(bytes)).toMatchObject({ typeUrl, systemVersionInfo: "7", nonce: "3", resources: [] });
});
