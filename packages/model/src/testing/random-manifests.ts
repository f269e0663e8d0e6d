import * as fc from "fast-check";
import {
  destinationRule,
  gateway,
  serviceEntry,
  sidecar,
  virtualService,
  workloadEntry,
} from "./istio-manifests.ts";
import { type Manifest, pod, routeRule, service, slice } from "./manifests.ts";

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
  })
  .map(service);

const endpoint = fc.record({
  addresses: addresses.map((address) => [address]),
  conditions: fc.record({ ready: fc.boolean(), terminating: fc.boolean() }, { requiredKeys: [] }),
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
        match: fc.constant({ request: { headers: { cookie: { exact: "a" } } } }),
        websocketUpgrade: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ route, ...fields }) => routeRule({ ...fields, ...(route === undefined ? {} : { route }) }));

const ruleHosts = fc.constantFrom(
  "reviews",
  "ratings",
  "reviews.default.svc.cluster.local",
  "*.svc.cluster.local",
);

const istioDestination = fc.record(
  {
    destination: fc.record(
      {
        host: hosts,
        subset: fc.constantFrom("v1", "v2", "v9"),
        port: fc.record({ number: fc.constantFrom(53, 80, 9080) }),
      },
      { requiredKeys: ["host"] },
    ),
    weight: fc.integer({ min: 1, max: 100 }),
  },
  { requiredKeys: ["destination", "weight"] },
);

const istioRoute = fc.record(
  {
    route: fc.array(istioDestination, { minLength: 1, maxLength: 3 }),
    match: fc.array(
      fc.record(
        { port: fc.constantFrom(80, 9080), sourceNamespace: fc.constant("shop") },
        { requiredKeys: [] },
      ),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: ["route"] },
);

const visibility = fc.constantFrom<string[]>([], ["*"], ["."]);
const names = fc.constantFrom("rule-0", "rule-1", "rule-2");
const namespaces = fc.constantFrom("default", "default", "istio-system", "other");

const virtualServices = fc
  .record({
    name: names,
    namespace: namespaces,
    spec: fc.record({
      hosts: ruleHosts.map((host) => [host]),
      http: fc.array(istioRoute, { minLength: 1, maxLength: 3 }),
      tcp: fc.array(istioRoute, { maxLength: 2 }),
      exportTo: visibility,
    }),
  })
  .map(virtualService);

const destinationRules = fc
  .record({
    name: names,
    namespace: namespaces,
    spec: fc.record(
      {
        host: ruleHosts,
        subsets: fc.uniqueArray(
          fc.record({ name: versions, labels, trafficPolicy: fc.constant({ outlierDetection: {} }) }),
          { maxLength: 3, selector: ({ name }) => name },
        ),
        trafficPolicy: fc.constantFrom({ tls: { mode: "SIMPLE" } }, { loadBalancer: { simple: "RANDOM" } }),
        exportTo: visibility,
      },
      { requiredKeys: ["host", "subsets"] },
    ),
  })
  .map(destinationRule);

const entryEndpoint = fc.record(
  {
    address: fc.constantFrom("10.2.0.1", "10.2.0.2"),
    labels,
    weight: fc.integer({ min: 0, max: 3 }),
    serviceAccount: fc.constantFrom("", "a"),
  },
  { requiredKeys: ["address"] },
);

const serviceEntries = fc
  .record({
    name: names,
    namespace: namespaces,
    spec: fc.record(
      {
        hosts: fc.constantFrom(["api.example.com"], ["reviews.default.svc.cluster.local"]),
        resolution: fc.constantFrom("STATIC", "DNS"),
        ports: fc.constantFrom(
          [{ number: 80, name: "http", protocol: "HTTP" }],
          [{ number: 9080, name: "tcp", protocol: "TCP" }],
        ),
        endpoints: fc.array(entryEndpoint, { minLength: 1, maxLength: 2 }),
        addresses: fc.subarray(["10.97.0.1", "10.97.0.2"]),
        exportTo: visibility,
      },
      { requiredKeys: ["hosts", "resolution", "ports", "endpoints"] },
    ),
  })
  .map(serviceEntry);

const selectingEntries = fc
  .record({ name: fc.constant("by-labels"), version: versions })
  .map(({ name, version }) =>
    serviceEntry({
      name,
      spec: { resolution: "STATIC", workloadSelector: { labels: { version } }, hosts: ["vm.example.com"] },
    }),
  );

const workloadEntries = fc
  .record({
    name: names,
    labels,
    spec: fc.record({ address: fc.constantFrom("10.2.0.1", "vm.example.com") }),
  })
  .map(workloadEntry);

const proxyKinds = fc
  .record({ name: names, namespace: namespaces, isGateway: fc.boolean() })
  .map(({ isGateway, ...fields }) => (isGateway ? gateway(fields) : sidecar(fields)));

/** Valid objects of all kinds, in any order, with doubles among them. */
export const manifests: fc.Arbitrary<Manifest[]> = fc.array(
  fc.oneof(
    services,
    slices,
    pods,
    routeRules,
    virtualServices,
    destinationRules,
    serviceEntries,
    selectingEntries,
    workloadEntries,
    proxyKinds,
  ),
  {
    maxLength: 24,
  },
);
