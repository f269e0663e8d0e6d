import { create, toBinary } from "@bufbuild/protobuf";
import { policyTypeUrls, type Resource } from "@keelson/protos";
import { EndpointSetSchema, ServiceSchema } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { irView } from "./ir-view.ts";

const snapshot = (typeUrl: string, resource: Resource) => ({
  version: 12_345_678_901_234_567_890n,
  resources: new Map([[typeUrl, new Map([[resource.name, resource]])]]),
});

test("every field of a message is there, and all of it is JSON", () => {
  const message = create(ServiceSchema, {
    hostname: "a",
    addresses: [Uint8Array.of(10, 96, 0, 1), Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0))],
    ports: [{ port: 80 }],
  });
  const view = irView(
    snapshot(policyTypeUrls.service, { name: "a", version: "f00", body: toBinary(ServiceSchema, message) }),
  );
  const expected = {
    version: "12345678901234567890",
    resources: [
      {
        type: "Service",
        name: "a",
        version: "f00",
        resource: {
          hostname: "a",
          namespace: "",
          addresses: ["10.96.0.1", "::1"],
          ports: [
            {
              port: 80,
              name: "",
              protocol: "PROTOCOL_UNSPECIFIED",
              tier: "TIER_UNSPECIFIED",
              destinations: [],
            },
          ],
        },
      },
    ],
  };
  expect(view).toMatchObject(expected);
  expect(JSON.parse(JSON.stringify(view))).toEqual(view);
});

test("routes are there with what is set in them", () => {
  const message = create(ServiceSchema, {
    ports: [
      {
        routes: [
          {
            route: {
              matches: [
                { uri: { how: { case: "prefix", value: "/a" } }, source: { labels: { app: "web" } } },
              ],
              directResponse: { status: 200, body: Uint8Array.of(104, 105) },
              timeoutMs: 1500n,
            },
          },
        ],
      },
    ],
  });
  const body = toBinary(ServiceSchema, message);
  const view = irView(snapshot(policyTypeUrls.service, { name: "a", version: "1", body }));
  expect(view).toMatchObject({
    resources: [
      {
        resource: {
          ports: [
            {
              routes: [
                {
                  route: {
                    matches: [{ uri: { prefix: "/a" }, source: { labels: { app: "web" } } }],
                    directResponse: { status: 200, body: "aGk=" },
                    timeoutMs: "1500",
                  },
                },
              ],
            },
          ],
        },
      },
    ],
  });
  expect(JSON.stringify(view)).not.toContain("redirect");
});

test("an endpoint that is looked up by name has no address", () => {
  const message = create(EndpointSetSchema, {
    name: "a",
    endpoints: [{ hostname: "db.example.com", port: 5432 }],
  });
  const resource = { name: "a", version: "1", body: toBinary(EndpointSetSchema, message) };
  expect(irView(snapshot(policyTypeUrls.endpointSet, resource))).toMatchObject({
    resources: [{ resource: { endpoints: [{ address: "", hostname: "db.example.com", port: 5432 }] } }],
  });
});

test("a number that no name stands for is shown as it is", () => {
  // Field 3 of ServicePort, protocol: 99.
  const body = Uint8Array.of(0x22, 2, 0x18, 99);
  expect(irView(snapshot(policyTypeUrls.service, { name: "a", version: "1", body }))).toMatchObject({
    resources: [{ resource: { ports: [{ protocol: 99 }] } }],
  });
});

test("types that are not of the policy IR are left out", () => {
  const resource = { name: "a", version: "1", body: new Uint8Array() };
  expect(irView(snapshot("type.googleapis.com/other", resource))).toMatchObject({ resources: [] });
});
