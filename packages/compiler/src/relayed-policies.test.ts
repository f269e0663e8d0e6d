import {
  application,
  destinationPolicy,
  destinationRule,
  type Manifest,
  routeRule,
  toSubset,
  toVersion,
  virtualService,
} from "@keelson/model/testing";
import type { PortRoute } from "@keelson/protos/policy";
import { LoadBalancer_Simple } from "@keelson/protos/traffic-policy";
import { expect, test } from "vitest";
import { compile, type View } from "./testing/compile.ts";

// v1 to v3 of reviews stand at 10.1.1.1 to 10.1.1.3, v1 of ratings at 10.1.2.1.
const reviews = application("reviews");
const ratings = application("ratings", ["v1"], { network: 2 });
const http = (...routes: object[]): Manifest => virtualService({ spec: { http: routes } });

const routesOf = (view: View): PortRoute[] => view.service("reviews").ports[0]?.routes ?? [];

test("a destination has the policy that holds for it, levels merged; a mirror, too", () => {
  const rule = destinationRule({
    spec: {
      trafficPolicy: { loadBalancer: { simple: "ROUND_ROBIN" }, outlierDetection: {} },
      subsets: [
        { name: "v1", labels: { version: "v1" } },
        {
          name: "v2",
          labels: { version: "v2" },
          trafficPolicy: { loadBalancer: { simple: "LEAST_REQUEST" } },
        },
      ],
    },
  });
  const route = [toSubset("v1", 50), toSubset("v2", 50), { destination: { host: "ratings" }, weight: 0 }];
  const mirror = { host: "reviews", subset: "v2" };
  const view = compile(...reviews, ...ratings, rule, http({ route, mirror }));
  expect(routesOf(view)).toMatchObject([
    {
      destinations: [
        { policy: { loadBalancer: { simple: LoadBalancer_Simple.ROUND_ROBIN }, outlierDetection: {} } },
        { policy: { loadBalancer: { simple: LoadBalancer_Simple.LEAST_REQUEST }, outlierDetection: {} } },
        {},
      ],
      mirrors: [
        { endpointSet: expect.stringContaining("version=v2"), policy: { loadBalancer: { simple: 1 } } },
      ],
    },
  ]);
  const [port] = view.service("reviews").ports;
  expect(port?.routes[0]?.destinations.map(({ policy }) => policy !== undefined)).toEqual([
    true,
    true,
    false,
  ]);
  expect(port?.destinations.map(({ policy }) => policy !== undefined)).toEqual([false, false, false]);
});

test("policies of Istio 0.2 are for the labels that they name", () => {
  const spec = {
    destination: { name: "reviews", labels: { version: "v2" } },
    loadBalancing: { name: "ROUND_ROBIN" },
  };
  const rule = routeRule({ route: [toVersion("v1", 50), toVersion("v2", 50)] });
  const [route] = routesOf(compile(...reviews, rule, destinationPolicy({ spec })));
  expect(route?.destinations.map(({ policy }) => policy?.loadBalancer?.simple)).toEqual([
    undefined,
    LoadBalancer_Simple.ROUND_ROBIN,
  ]);
});

test("what the relay does not do of a policy is said", () => {
  const trafficPolicy = {
    loadBalancer: { simple: "ROUND_ROBIN", warmup: { duration: "10s" } },
    connectionPool: { tcp: { maxConnections: 1, tcpKeepalive: { probes: 1 } } },
    tls: { mode: "ISTIO_MUTUAL" },
  };
  const view = compile(
    ...reviews,
    destinationRule({ spec: { trafficPolicy } }),
    http({ route: [toSubset("v1", 1), toSubset("v2", 1)] }),
  );
  expect(view.explain("reviews")).toMatchObject({
    tier: "relay",
    policies: [
      {
        state: "partly applies",
        why: "not done by the relay yet: of the connection pool: tcpKeepalive; warm-up of endpoints; TLS towards the host",
      },
    ],
  });
});

test("TLS towards the host alone brings nothing to the relay", () => {
  const rule = destinationRule({ spec: { trafficPolicy: { tls: { mode: "SIMPLE" } } } });
  const view = compile(...reviews, rule);
  expect(view.explain("reviews")).toMatchObject({
    wantedTier: "relay",
    tier: "connect",
    why: expect.stringMatching(/^DestinationRule default\/reviews asks for TLS .* does not do yet/),
  });
  expect(routesOf(view)).toEqual([]);
});
