import { expect, test } from "vitest";
import { parseObject } from "../parse-object.ts";
import {
  gateway,
  type IstioFields,
  ingress,
  type Manifest,
  originAt,
  serviceEntry,
  sidecar,
  workloadEntry,
} from "../testing/index.ts";

const problemsOf = (manifest: Manifest): string[] =>
  parseObject(manifest, originAt("a.yaml")).problems.map(
    ({ severity, field, message }) => `${severity} ${field}: ${message}`,
  );

test.each([serviceEntry(), workloadEntry(), gateway(), sidecar(), ingress()])(
  "a plain $kind has no problems",
  (manifest) => {
    expect(problemsOf(manifest)).toEqual([]);
  },
);

type Case = [string, IstioFields["spec"], RegExp];
const http = { number: 80, name: "http", protocol: "HTTP" };
const tcp = { number: 90, name: "tcp", protocol: "TCP" };

test.each<Case>([
  ["hosts", { hosts: [] }, /spec\.hosts/],
  ["no host for all", { hosts: ["*"] }, /"\*" is no host of a service/],
  [
    "either endpoints or a selector",
    { endpoints: [{ address: "a.b" }], workloadSelector: {} },
    /stands beside endpoints/,
  ],
  [
    "no endpoints without resolution",
    { resolution: "NONE", endpoints: [{ address: "10.0.0.1" }] },
    /NONE takes no endpoints/,
  ],
  [
    "addresses for static endpoints",
    { resolution: "STATIC", endpoints: [{ address: "a.b" }] },
    /"a\.b" is no IP address/,
  ],
  ["names to look up", { hosts: ["*.example.com"] }, /cannot be looked up/],
  [
    "one endpoint for round robin",
    { resolution: "DNS_ROUND_ROBIN", endpoints: [{ address: "a.b" }, { address: "c.d" }] },
    /one endpoint at most/,
  ],
  ["blocks for NONE and STATIC", { addresses: ["10.0.0.0/8"] }, /addresses\[0\]: CIDR blocks/],
  [
    "addresses that are some",
    { addresses: ["10.0.0.0/33"] },
    /addresses\[0\]: is neither an IP address nor a CIDR block/,
  ],
  ["one port a name", { ports: [http, { ...tcp, name: "http" }] }, /ports\[1\]\.name: "http" stands twice/],
  ["one port a number", { ports: [http, { ...tcp, number: 80 }] }, /ports\[1\]\.number: 80 stands twice/],
  ["protocols that exist", { ports: [{ ...http, protocol: "HTTQ" }] }, /is none of GRPC/],
  ["hosts that can be told apart", { hosts: ["a.b", "c.d"], ports: [tcp] }, /cannot be told apart by TCP/],
  ["ports of its endpoints", { endpoints: [{ address: "a.b", ports: { no: 1 } }] }, /ports\.no: is no port/],
  ["a resolution that is supported", { resolution: "DYNAMIC_DNS" }, /DYNAMIC_DNS is not supported yet/],
])("a ServiceEntry needs %s", (_, spec, message) => {
  const problems = problemsOf(serviceEntry({ ...(spec && { spec }) }));
  expect(problems).toEqual([expect.stringMatching(message)]);
  expect(problems[0]).toMatch(/^error /);
});

const server = { port: http, hosts: ["*"] };
const https = { port: { number: 443, name: "https", protocol: "HTTPS" }, hosts: ["*"] };

test.each<Case>([
  ["servers", { servers: [] }, /spec\.servers/],
  [
    "one server a port name",
    { servers: [server, { ...server, port: { ...http, number: 81 } }] },
    /"http" stands twice/,
  ],
  ["tls for HTTPS", { servers: [https] }, /servers\[0\]: protocol HTTPS needs tls/],
  [
    "no certificates for HTTP",
    { servers: [{ ...server, tls: { mode: "SIMPLE", credentialName: "c" } }] },
    /does not terminate TLS/,
  ],
  [
    "certificates",
    { servers: [{ ...https, tls: { mode: "SIMPLE", privateKey: "/k" } }] },
    /needs a serverCertificate/,
  ],
  [
    "no certificates for ISTIO_MUTUAL",
    { servers: [{ ...https, tls: { mode: "ISTIO_MUTUAL", credentialName: "c" } }] },
    /mesh's own certificates/,
  ],
  [
    "hosts that are some",
    { servers: [{ ...server, hosts: ["a/b/c"] }] },
    /neither a host nor "namespace\/host"/,
  ],
  [
    "a port's name",
    { servers: [{ ...server, port: { number: 80, protocol: "HTTP" } }] },
    /port\.name: is required/,
  ],
])("a Gateway needs %s", (_, spec, message) => {
  const problems = problemsOf(gateway({ ...(spec && { spec }) }));
  expect(problems).toEqual([expect.stringMatching(message)]);
  expect(problems[0]).toMatch(/^error /);
});

test("a redirect to HTTPS is no termination of TLS", () => {
  expect(problemsOf(gateway({ spec: { servers: [{ ...server, tls: { httpsRedirect: true } }] } }))).toEqual(
    [],
  );
});

test("what a gateway's TLS knows and does not do yet is a warning with its name", () => {
  const tls = { mode: "SIMPLE", credentialNames: ["a"], caCrl: "/crl", insecureSkipVerify: true };
  expect(problemsOf(gateway({ spec: { servers: [{ ...https, tls }] } })).sort()).toEqual(
    ["caCrl", "insecureSkipVerify"].map((field) =>
      expect.stringMatching(`^warning spec\\.servers\\[0\\]\\.tls\\.${field}: has no effect`),
    ),
  );
  const external = { mode: "SIMPLE", credentialName: "sds://provider/a" };
  expect(problemsOf(gateway({ spec: { servers: [{ ...https, tls: external }] } }))).toEqual([
    expect.stringContaining("tls.credentialName: is of another provider"),
  ]);
});

const port = { number: 9080, protocol: "HTTP", name: "in" };

test.each<Case>([
  ["something to say", { egress: [] }, /says nothing/],
  ["hosts in egress", { egress: [{ hosts: [] }] }, /egress\[0\]\.hosts/],
  ["namespaces in hosts", { egress: [{ hosts: ["reviews"] }] }, /is not "namespace\/host"/],
  [
    "the catch-all last",
    { egress: [{ hosts: ["*/*"] }, { port, hosts: ["*/*"] }] },
    /egress\[0\]: .* must be the last one/,
  ],
  [
    "one egress listener a port",
    {
      egress: [
        { port, hosts: ["*/*"] },
        { port, hosts: ["*/*"] },
      ],
    },
    /port 9080 already/,
  ],
  ["one ingress listener a port", { ingress: [{ port }, { port }] }, /port 9080 already/],
  [
    "a local endpoint",
    { ingress: [{ port, defaultEndpoint: "10.0.0.1:80" }] },
    /is none of 127\.0\.0\.1:PORT/,
  ],
  [
    "TLS on TLS ports",
    { ingress: [{ port, tls: { mode: "SIMPLE", serverCertificate: "/c", privateKey: "/k" } }] },
    /needs a port of protocol HTTPS/,
  ],
])("a Sidecar needs %s", (_, spec, message) => {
  const problems = problemsOf(sidecar({ ...(spec && { spec }) }));
  expect(problems).toEqual([expect.stringMatching(message)]);
  expect(problems[0]).toMatch(/^error /);
});

test("an egress proxy is a warning", () => {
  const spec = { outboundTrafficPolicy: { mode: "ALLOW_ANY", egressProxy: { host: "a.b" } } };
  expect(problemsOf(sidecar({ spec }))).toEqual([
    expect.stringMatching(/^warning spec\.outboundTrafficPolicy\.egressProxy: has no effect/),
  ]);
});

test("a WorkloadEntry's network is a warning, and its address is one", () => {
  expect(problemsOf(workloadEntry({ spec: { network: "n" } }))).toEqual([
    expect.stringMatching(/^warning spec\.network: has no effect/),
  ]);
  expect(problemsOf(workloadEntry({ spec: { address: "not an address" } }))).toEqual([
    expect.stringMatching(/^error spec\.address: is neither an IP address nor a domain name/),
  ]);
});

const backend = { serviceName: "reviews", servicePort: 80 };
const onePath = (path: object) => ({ rules: [{ http: { paths: [path] } }] });

test.each<Case>([
  ["a service", { backend: {} }, /spec\.backend: needs a service/],
  ["a port", { backend: { serviceName: "a" } }, /spec\.backend: needs a servicePort/],
  [
    "one form",
    { backend: { ...backend, service: { name: "a", port: { number: 1 } } } },
    /stands beside service/,
  ],
  [
    "either number or name",
    { defaultBackend: { service: { name: "a" } } },
    /needs either a number or a name/,
  ],
  ["paths that begin with a slash", onePath({ path: "a", pathType: "Exact", backend }), /begins with "\/"/],
  ["services behind it", { backend: { resource: { kind: "Bucket" } } }, /has no effect/],
  ["a host that is a name", { rules: [{ host: "a_b" }] }, /spec\.rules\[0\]\.host/],
])("an Ingress needs %s", (_, spec = {}, problem) => {
  expect(problemsOf(ingress({ spec }))).toContainEqual(expect.stringMatching(problem));
});
