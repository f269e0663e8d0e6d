import {
  application,
  destinationRule,
  type Manifest,
  service,
  toSubset,
  virtualService,
} from "@keelson/model/testing";
import { expect, test } from "vitest";
import { compile } from "./testing/compile.ts";

// v1 to v3 of reviews stand at 10.1.1.1 to 10.1.1.3.
const reviews = application("reviews");
const to = (subset: string) => ({ route: [toSubset(subset)] });

/** What stands behind the service, with this port. */
const behind = (name: string, port: number): Manifest[] =>
  reviews
    .slice(1)
    .map((manifest) =>
      manifest.kind === "EndpointSlice" ? { ...manifest, ports: [{ name, port }] } : manifest,
    );

const plain = service({ ports: [{ name: "tcp", port: 70 }] });
const slices = behind("tcp", 7000);

test("connections are the relay's where a rule looks at who makes them", () => {
  const tcp = [
    { match: [{ port: 70, sourceLabels: { app: "web" } }], ...to("v2") },
    { match: [{ port: 70 }], ...to("v3") },
    to("v1"),
  ];
  const view = compile(plain, ...slices, destinationRule(), virtualService({ spec: { tcp } }));
  expect(view.service("reviews").ports[0]).toMatchObject({
    routes: [],
    connectionRoutes: [
      {
        route: { matches: [{ port: 0, source: { labels: { app: "web" } } }] },
        destinations: [{ weight: 100, endpointSet: expect.stringContaining("version=v2") }],
      },
      { route: { matches: [] }, destinations: [{ endpointSet: expect.stringContaining("version=v3") }] },
    ],
  });
  expect(view.destinations("reviews", 70)).toEqual(["100: 10.1.1.3:7000"]);
  expect(view.explain("reviews", 70)).toMatchObject({ wantedTier: "relay", tier: "relay" });
});

test("a match for some of a service's addresses is left out", () => {
  const subnets = { match: [{ destinationSubnets: ["10.0.0.0/8"] }], ...to("v2") };
  const callers = { match: [{ sourceLabels: { app: "web" } }], ...to("v3") };
  const alone = compile(plain, ...slices, destinationRule(), virtualService({ spec: { tcp: [subnets] } }));
  expect(alone.explain("reviews", 70)).toMatchObject({ tier: "connect", rules: [{ state: "not applied" }] });
  const tcp = [subnets, callers];
  const beside = compile(plain, ...slices, destinationRule(), virtualService({ spec: { tcp } }));
  expect(beside.explain("reviews", 70)).toMatchObject({
    tier: "relay",
    rules: [
      { state: "not applied", why: expect.stringContaining("the dialled address (10.0.0.0/8)") },
      { state: "applies" },
    ],
  });
  expect(beside.service("reviews").ports[0]?.connectionRoutes).toMatchObject([
    { destinations: [{ endpointSet: expect.stringContaining("version=v3") }] },
  ]);
});

test("what matches TLS names needs the relay", () => {
  const tls = [{ match: [{ sniHosts: ["reviews"] }], ...to("v2") }];
  const secure = service({ ports: [{ name: "https", port: 443 }] });
  const view = compile(
    secure,
    ...behind("https", 9443),
    destinationRule(),
    virtualService({ spec: { tls } }),
  );
  expect(view.destinations("reviews", 443)).toEqual(["100: 10.1.1.1:9443 10.1.1.2:9443 10.1.1.3:9443"]);
  expect(view.explain("reviews", 443)).toMatchObject({
    wantedTier: "relay",
    tier: "relay",
    rules: [{ state: "applies" }],
  });
  expect(view.service("reviews").ports[0]?.connectionRoutes).toMatchObject([
    {
      route: { matches: [{ sniHosts: ["reviews"] }] },
      destinations: [{ weight: 100, endpointSet: expect.stringContaining("version=v2") }],
    },
  ]);
});
