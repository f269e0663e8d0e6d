import * as fc from "fast-check";
import { type Manifest, pod, routeRule, service, slice } from "./manifests.ts";
import { istioManifests } from "./random-istio-manifests.ts";

// Few names, so that objects refer to each other, and to what is not there.
const hosts = fc.constantFrom("reviews", "ratings", "details");
const versions = fc.constantFrom("v1", "v2", "v3");
const addresses = fc.integer({ min: 1, max: 6 }).map((last) => `10.1.0.${last}`);
const portNames = fc.constantFrom("http", "tcp", "grpc", "dns", "");
const transports = fc.constantFrom("TCP", "UDP");

const labels = fc.record({ version: versions }, { requiredKeys: [] });

const services = fc
  .record({
    name: hosts,
    ips: fc.subarray(["10.96.0.1", "10.96.0.2", "fd00:96::1"]),
    ports: fc.array(
      fc.record({ name: portNames, port: fc.constantFrom(53, 80, 9080), protocol: transports }),
      { maxLength: 3 },
    ),
    spec: fc.record({ selector: labels }, { requiredKeys: [] }),
  })
  .map(service);

const endpoint = fc.record({
  addresses: addresses.map((address) => [address]),
  conditions: fc.record(
    { ready: fc.boolean(), serving: fc.boolean(), terminating: fc.boolean() },
    { requiredKeys: [] },
  ),
  targetRef: fc.option(fc.record({ kind: fc.constant("Pod"), name: fc.constantFrom("p0", "p1", "p2") }), {
    nil: undefined,
  }),
});

const slices = fc
  .record({
    service: hosts,
    name: fc.constantFrom("slice-0", "slice-1", "slice-2", "slice-3"),
    endpoints: fc.array(endpoint, { maxLength: 4 }),
    ports: fc.array(fc.record({ name: portNames, port: fc.constantFrom(8080, 9080), protocol: transports }), {
      maxLength: 3,
    }),
  })
  .map(slice);

const pods = fc
  .record({
    name: fc.constantFrom("p0", "p1", "p2", "p3"),
    ip: addresses,
    labels,
    node: fc.constantFrom("", "node-a", "node-b"),
    spec: fc.record({ hostNetwork: fc.boolean() }),
    status: fc.record({ phase: fc.constantFrom("Pending", "Running", "Succeeded", "Failed") }),
  })
  .map(pod);

const destinations = fc.record(
  { labels, destination: fc.record({ name: hosts }) },
  { requiredKeys: ["labels"] },
);

const routes = fc.oneof(
  fc.constant(undefined),
  destinations.map((only) => [only]),
  fc.tuple(destinations, destinations, fc.integer({ min: 0, max: 100 })).map(([a, b, weight]) => [
    { ...a, weight },
    { ...b, weight: 100 - weight },
  ]),
);

const routeRules = fc
  .record({
    name: fc.constantFrom("rule-0", "rule-1", "rule-2", "rule-3"),
    destination: hosts,
    precedence: fc.integer({ min: 0, max: 2 }),
    route: routes,
    spec: fc.record(
      {
        match: fc.constantFrom(
          { request: { headers: { cookie: { exact: "a" } } } },
          { source: { name: "ratings" } },
          { source: { name: "details", labels: { version: "v1" } } },
        ),
        websocketUpgrade: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ route, ...fields }) => routeRule({ ...fields, ...(route === undefined ? {} : { route }) }));

const kubernetesObjects = fc.oneof(services, slices, pods, routeRules);

/** Valid objects of all kinds, in any order, with doubles among them. */
export const manifests: fc.Arbitrary<Manifest[]> = fc.array(fc.oneof(kubernetesObjects, istioManifests), {
  maxLength: 24,
});
