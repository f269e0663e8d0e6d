import fc from "fast-check";
import { httpRoute, kubernetesGateway, toBackend } from "./gateway-api-manifests.ts";
import {
  destinationRule,
  gateway,
  serviceEntry,
  sidecar,
  virtualService,
  workloadEntry,
} from "./istio-manifests.ts";
import { destinationPolicy, egressRule } from "./legacy-manifests.ts";
import type { Manifest } from "./manifests.ts";

// Few names, so that objects refer to each other, and to what is not there.
const hosts = fc.constantFrom("reviews", "ratings", "details");
const versions = fc.constantFrom("v1", "v2", "v3");
const labels = fc.record({ version: versions }, { requiredKeys: [] });

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

const istioHttpRoute = fc
  .tuple(
    istioRoute,
    fc.record(
      {
        uri: fc.constantFrom({ prefix: "/" }, { exact: "/a" }),
        mirror: fc.record({ host: hosts, subset: fc.constantFrom("v1", "v9") }, { requiredKeys: ["host"] }),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([route, { uri, mirror }]) => ({
    ...route,
    ...(mirror && { mirror }),
    ...(uri && { match: [...(route.match ?? []), { uri }] }),
  }));

const visibility = fc.constantFrom<string[]>([], ["*"], ["."]);
const names = fc.constantFrom("rule-0", "rule-1", "rule-2");
const namespaces = fc.constantFrom("default", "default", "istio-system", "other");

const virtualServices = fc
  .record({
    name: names,
    namespace: namespaces,
    spec: fc.record({
      hosts: ruleHosts.map((host) => [host]),
      http: fc.array(istioHttpRoute, { minLength: 1, maxLength: 3 }),
      tcp: fc.array(istioRoute, { maxLength: 2 }),
      exportTo: visibility,
    }),
  })
  .map(virtualService);

/** One VirtualService that leaves the choice to others, and one that is chosen. */
const delegations = fc
  .record({ isRoot: fc.boolean(), port: fc.constantFrom(80, 9080), namespace: namespaces })
  .map(({ isRoot, port, namespace }) =>
    virtualService(
      isRoot
        ? { name: "root", spec: { http: [{ match: [{ port }], delegate: { name: "part", namespace } }] } }
        : {
            name: "part",
            namespace,
            spec: { hosts: [], http: [{ match: [{ port }], route: [{ destination: { host: "ratings" } }] }] },
          },
    ),
  );

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

const backends = fc.array(
  fc
    .record({ name: hosts, weight: fc.integer({ min: 0, max: 2 }) })
    .map(({ name, weight }) => toBackend(name, weight)),
  { maxLength: 3 },
);

const httpRoutes = fc
  .record({
    name: names,
    namespace: namespaces,
    spec: fc.record({
      parentRefs: fc.array(
        fc.oneof(
          hosts.map((name) => ({ group: "", kind: "Service", name })),
          fc.constantFrom({ name: "edge" }, { name: "edge", namespace: "default" }),
        ),
        { maxLength: 2 },
      ),
      hostnames: fc.subarray(["a.com", "*.a.com"]),
      rules: fc.array(
        fc.record({
          backendRefs: backends,
          matches: fc.array(fc.record({ path: fc.constantFrom({ value: "/" }, { value: "/a" }) }), {
            maxLength: 2,
          }),
        }),
        { maxLength: 3 },
      ),
    }),
  })
  .map(httpRoute);

const kubernetesGateways = fc.constantFrom("Same", "All").map((from) =>
  kubernetesGateway({
    spec: {
      listeners: [{ name: "http", port: 80, protocol: "HTTP", allowedRoutes: { namespaces: { from } } }],
    },
  }),
);

const destinationPolicies = fc
  .record({ name: names, destination: hosts, labels, source: fc.option(hosts, { nil: undefined }) })
  .map(({ name, destination, labels: chosen, source }) =>
    destinationPolicy({
      name,
      spec: {
        destination: { name: destination, labels: chosen },
        loadBalancing: { name: "RANDOM" },
        ...(source === undefined ? {} : { source: { name: source } }),
      },
    }),
  );

const egressRules = fc
  .record({ name: names, service: fc.constantFrom("*.example.com", "api.example.com") })
  .map(({ name, service }) => egressRule({ name, spec: { destination: { service } } }));

/** Valid rules of Istio, old and new, and of the Gateway API. */
export const istioManifests: fc.Arbitrary<Manifest> = fc.oneof(
  virtualServices,
  delegations,
  destinationRules,
  serviceEntries,
  selectingEntries,
  workloadEntries,
  proxyKinds,
  httpRoutes,
  kubernetesGateways,
  destinationPolicies,
  egressRules,
);
