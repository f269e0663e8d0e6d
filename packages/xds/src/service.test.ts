import { create } from "@bufbuild/protobuf";
import { DeltaDiscoveryRequestSchema } from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { deltaAds, MalformedRequest } from "./service.ts";

const { path, requestSerialize, requestDeserialize } = deltaAds.deltaAggregatedResources;

test("the method is the one that Envoy calls", () => {
  expect(path).toBe("/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources");
});

test("a request is read as it was written", () => {
  const names = fc.array(fc.string());
  const request = fc.record({
    typeUrl: fc.string(),
    resourceNamesSubscribe: names,
    resourceNamesUnsubscribe: names,
    initialResourceVersions: fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }),
    responseNonce: fc.string(),
    errorDetail: fc.option(fc.record({ code: fc.integer({ min: 0, max: 16 }), message: fc.string() }), {
      nil: undefined,
    }),
  });
  fc.assert(
    fc.property(request, ({ errorDetail, ...fields }) => {
      const written = create(DeltaDiscoveryRequestSchema, {
        ...fields,
        ...(errorDetail === undefined ? {} : { errorDetail }),
      });
      expect(requestDeserialize(requestSerialize(written))).toEqual(written);
    }),
  );
});

test("whatever bytes come, reading them throws nothing", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const read = requestDeserialize(Buffer.from(bytes));
      if (read instanceof MalformedRequest) {
        expect(read.reason).toMatch(new RegExp(`^${bytes.length} bytes are no DeltaDiscoveryRequest: .+`));
      } else {
        expect(read.$typeName).toBe("envoy.service.discovery.v3.DeltaDiscoveryRequest");
      }
    }),
    { numRuns: 2_000 },
  );
});

test("a request that was cut is malformed", () => {
  const bytes = requestSerialize(create(DeltaDiscoveryRequestSchema, { typeUrl: "type.test/Thing" }));
  expect(requestDeserialize(bytes.subarray(0, -1))).toBeInstanceOf(MalformedRequest);
});
