import * as fc from "fast-check";
import { destinationRule, serviceEntry, virtualService, workloadEntry } from "./istio-manifests.ts";
import { type Manifest, pod, routeRule, service, slice } from "./manifests.ts";

const address = fc.constantFrom("10.1.0.1", "10.1.0.2", "10.1.0.3");
const names = ["reviews", "ratings"] as const;

const services = names.map((name, i) =>
  fc
    .record({ port: fc.constantFrom(9080, 9081), ip: fc.constantFrom(`10.96.0.${i}`, `10.97.0.${i}`) })
    .map(({ port, ip }) => service({ name, ips: [ip], ports: [{ name: "http", port }] })),
);

const endpoint = fc.oneof(
  address,
  fc.record({
    addresses: address.map((one) => [one]),
    targetRef: fc.record({ kind: fc.constant("Pod"), name: fc.constantFrom("p0", "p1") }),
  }),
);

const slices = names.flatMap((name) =>
  ["a", "b"].map((part) =>
    fc
      .array(endpoint, { maxLength: 3 })
      .map((endpoints) => slice({ service: name, name: `${name}-${part}`, endpoints })),
  ),
);

const labels = fc.record({ app: fc.constantFrom("reviews", "api"), version: fc.constantFrom("v1", "v2") });

const pods = ["p0", "p1"].map((name) =>
  fc.record({ ip: address, labels }).map((fields) => pod({ name, ...fields })),
);

const inMesh = { hosts: ["api.test"], resolution: "STATIC", location: "MESH_INTERNAL" };
const ports = [{ number: 80, name: "http", protocol: "HTTP" }];

/** Two entries of one host, and one that selects workloads. */
const entries = [
  ...["api-0", "api-1"].map((name) =>
    fc
      .array(fc.record({ address, labels }), { maxLength: 3 })
      .map((endpoints) => serviceEntry({ name, spec: { ...inMesh, ports, endpoints } })),
  ),
  fc.constant(
    serviceEntry({
      name: "selecting",
      spec: {
        ...inMesh,
        hosts: ["selecting.test"],
        ports,
        workloadSelector: { labels: { app: "api" } },
      },
    }),
  ),
];

const workloads = [address.map((one) => workloadEntry({ spec: { address: one } }))];

const rules = [
  fc
    .constantFrom("ratings", "reviews")
    .map((name) => routeRule({ destination: "reviews", route: [{ destination: { name } }] })),
  fc.constantFrom("v1", "v2").map((version) =>
    virtualService({
      name: "api",
      spec: {
        hosts: ["api.test"],
        http: [{ route: [{ destination: { host: "reviews", subset: version } }] }],
      },
    }),
  ),
  fc.constant(destinationRule()),
];

const slots: readonly fc.Arbitrary<Manifest>[] = [
  ...services,
  ...slices,
  ...pods,
  ...entries,
  ...workloads,
  ...rules,
];

/** What one of the objects becomes; undefined: it goes. */
const edit = fc
  .nat({ max: slots.length - 1 })
  .chain((slot) =>
    fc
      .option(slots[slot] ?? fc.constant(service()), { nil: undefined, freq: 4 })
      .map((becomes) => ({ slot, becomes })),
  );

/**
 * A small world whose objects nearly all speak of each other, and what becomes of it when one or two of them change at a time:
 * who remembers anything of the state before must tell what is not right any more.
 */
export const smallEdits: fc.Arbitrary<readonly (readonly Manifest[])[]> = fc
  .tuple(
    fc.tuple(...slots),
    fc.array(fc.array(edit, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 10 }),
  )
  .map(([start, rounds]) => {
    let now: readonly (Manifest | undefined)[] = start;
    const states = [now];
    for (const round of rounds) {
      const next = [...now];
      for (const { slot, becomes } of round) next[slot] = becomes;
      states.push((now = next));
    }
    return states.map((state) => state.filter((manifest) => manifest !== undefined));
  });
