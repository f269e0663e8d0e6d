import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { KnownObject } from "@keelson/model";
import { ingress, type Manifest, read } from "@keelson/model/testing";
import { readConfigFile } from "@keelson/sources";
import fastify from "fastify";
import { expect, test } from "vitest";
import { registerV1 } from "./register-v1.ts";
import { type MeshFields, mockIr, nodes } from "./testing/mock-world.ts";

// What Pilot 0.2.12 answered in its tests, as published; it stands beside a checkout, not in it.
const folder = fileURLToPath(new URL("../../../../../shared/fixtures/pilot-0.2.12/envoy", import.meta.url));

const golden = (name: string): string => readFileSync(join(folder, `${name}.json.golden`), "utf8");

/** A rule of the goldens: file, kind, and the name it was given. */
const rules = {
  "timeout-route-rule": ["RouteRule", "timeout"],
  "weighted-route": ["RouteRule", "weighted"],
  "fault-route": ["RouteRule", "fault"],
  "redirect-route": ["RouteRule", "redirect"],
  "rewrite-route": ["RouteRule", "rewrite"],
  "websocket-route": ["RouteRule", "websocket"],
  "egress-rule": ["EgressRule", "google"],
  "egress-rule-cb-policy": ["DestinationPolicy", "egress-circuit-breaker"],
  "egress-rule-timeout-route-rule": ["RouteRule", "egress-timeout"],
  "cb-policy": ["DestinationPolicy", "circuit-breaker"],
} as const;
type RuleFile = keyof typeof rules;

/** The files hold the rules' specs alone. */
function readRule(file: RuleFile): readonly KnownObject[] {
  const [kind, name] = rules[file];
  const spec = readFileSync(join(folder, `${file}.yaml.golden`), "utf8").replace(/^/gm, "  ");
  const head = `apiVersion: config.istio.io/v1alpha2\nkind: ${kind}\nmetadata: {name: ${name}, namespace: default}\n`;
  const { objects, problems } = readConfigFile(`${head}spec:\n${spec}`, `${file}.yaml`);
  expect(problems).toEqual([]);
  return objects;
}

/** The goldens' IngressRules as the Ingresses that Pilot made such rules from. */
const ingresses: readonly Manifest[] = [
  ingress({
    name: "world",
    spec: {
      rules: [
        {
          host: "world.com",
          http: { paths: [{ path: "/hello", backend: { serviceName: "world", servicePort: "http" } }] },
        },
      ],
    },
  }),
  ingress({
    name: "foo",
    spec: {
      tls: [{ secretName: "my-secret" }],
      rules: [{ http: { paths: [{ path: "/bar.*", backend: { serviceName: "hello", servicePort: 81 } }] } }],
    },
  }),
];

interface Setting {
  readonly rules?: readonly RuleFile[];
  readonly ingresses?: true;
  readonly mesh?: MeshFields;
}

/** A server on the mock world with some rules. */
function serve({ rules: files = [], mesh = {}, ...setting }: Setting) {
  const server = fastify();
  const ir = {
    current: mockIr([...files.flatMap(readRule), ...read(...(setting.ingresses ? ingresses : []))], mesh),
  };
  registerV1(server, () => ir.current);
  const request = async (method: "GET" | "POST", url: string): Promise<string> =>
    (await server.inject({ method, url })).body;
  return { request, ir };
}

type Case = readonly [golden: string, path: string, setting?: Setting];

const clusters = (node: keyof typeof nodes): string => `/v1/clusters/istio-proxy/${nodes[node]}`;
const listeners = (node: keyof typeof nodes): string => `/v1/listeners/istio-proxy/${nodes[node]}`;
const routes = (name: string, node: keyof typeof nodes): string =>
  `/v1/routes/${name}/istio-proxy/${nodes[node]}`;

const ruleCase = (name: string, file: RuleFile, path: string): Case => [name, path, { rules: [file] }];

/** The listeners of both sidecars under one rule: as the mesh is, without Mixer, with mutual TLS. */
const listenerCases = (name: string, files: readonly RuleFile[]): Case[] =>
  (["v0", "v1"] as const).flatMap((node): Case[] => [
    [`lds-${node}-${name}`, listeners(node), { rules: files }],
    [`lds-${node}-${name}-nomixer`, listeners(node), { rules: files, mesh: { mixerAddress: "" } }],
    [`lds-${node}-${name}-auth`, listeners(node), { rules: files, mesh: { authPolicy: "MUTUAL_TLS" } }],
  ]);

const forwardProxy: Setting = { rules: ["egress-rule"], mesh: { proxyListenPort: 0, proxyHttpPort: 15_002 } };

const cases: readonly Case[] = [
  ["sds", "/v1/registration/hello.default.svc.cluster.local|http"],
  ["sds-v1", "/v1/registration/hello.default.svc.cluster.local|http|version=v1"],
  ["sds-empty", "/v1/registration/nonexistent"],
  ["all-sds", "/v1/registration/"],
  ["all-cds", "/v1/clusters/"],
  ["all-rds", "/v1/routes/"],
  ["cds", clusters("v0")],
  ["cds-ssl-context", clusters("v0"), { rules: ["egress-rule"], mesh: { authPolicy: "MUTUAL_TLS" } }],
  ["cds-istio-egress", clusters("egress")],
  [
    "cds-circuit-breaker",
    clusters("v0"),
    { rules: ["weighted-route", "cb-policy", "egress-rule", "egress-rule-cb-policy"] },
  ],
  ["rds-v0", routes("80", "v0")],
  ["rds-v1", routes("80", "v1")],
  ["rds-v0-nomixer", routes("80", "v0"), { rules: ["egress-rule"], mesh: { mixerAddress: "" } }],
  ["rds-v0-status", routes("81", "v0")],
  [
    "rds-timeout",
    routes("80", "v0"),
    { rules: ["egress-rule", "timeout-route-rule", "egress-rule-timeout-route-rule"] },
  ],
  ruleCase("rds-weighted", "weighted-route", routes("80", "v0")),
  ruleCase("rds-fault", "fault-route", routes("80", "v0")),
  ruleCase("rds-redirect", "redirect-route", routes("80", "v0")),
  ruleCase("rds-rewrite", "rewrite-route", routes("80", "v0")),
  ruleCase("rds-websocket", "websocket-route", routes("80", "v0")),
  ruleCase("lds-websocket", "websocket-route", listeners("v0")),
  ["rds-istio-egress", routes("8888", "egress")],
  ["cds-ingress", clusters("ingress"), { ingresses: true }],
  ["lds-ingress", listeners("ingress"), { ingresses: true, rules: ["egress-rule"] }],
  ["rds-ingress", routes("80", "ingress"), { ingresses: true }],
  ["rds-ingress-ssl", routes("443", "ingress"), { ingresses: true }],
  ["rds-ingress-weighted", routes("80", "ingress"), { ingresses: true, rules: ["weighted-route"] }],
  ...listenerCases("none", []),
  ...listenerCases("weighted", ["weighted-route"]),
  ...listenerCases("fault", ["fault-route"]),
  ...listenerCases("egress-rule", ["egress-rule"]),
  ["lds-httpproxy", listeners("v0"), forwardProxy],
  ["rds-httpproxy", routes("http_proxy", "v0"), forwardProxy],
  ruleCase("lds-istio-egress", "egress-rule", listeners("egress")),
  [
    "lds-istio-egress-auth",
    listeners("egress"),
    { rules: ["egress-rule"], mesh: { authPolicy: "MUTUAL_TLS" } },
  ],
];

/** Goldens that no answer of a control plane matches. */
const impossible = { envoy: "it is the bootstrap that pilot-agent writes, and no answer of Pilot's" };

/** In a table of their own below: what is asked in turn. */
const cacheGoldens = ["empty", "cold", "warm-one", "warm-two", "cleared"].map((name) => `cache-${name}`);

function testWithGoldens(title: string, body: () => Promise<void> | void): void {
  test(title, async ({ skip }) => {
    skip(!existsSync(folder), "Pilot's published answers do not stand beside this checkout");
    await body();
  });
}

for (const [name, path, setting = {}] of cases) {
  testWithGoldens(`${name}: byte for byte as Pilot 0.2.12`, async () => {
    expect(await serve(setting).request("GET", path)).toBe(golden(name));
  });
}

testWithGoldens("a rule for some callers changes nothing for others", async () => {
  const { request } = serve({ rules: ["fault-route"] });
  expect(await request("GET", routes("80", "v1"))).toBe(golden("rds-v1"));
});

testWithGoldens("mutual TLS changes nothing for the ingress' own callers", async () => {
  const { request } = serve({ ingresses: true, rules: ["egress-rule"], mesh: { authPolicy: "MUTUAL_TLS" } });
  expect(await request("GET", listeners("ingress"))).toBe(golden("lds-ingress"));
});

testWithGoldens("the cache counts as Pilot's did", async () => {
  const { request, ir } = serve({});
  const asked = {
    "/v1/registration/hello.default.svc.cluster.local|http": "sds",
    [clusters("v0")]: "cds",
    [routes("80", "v0")]: "rds-v1",
  };
  const askAll = async (): Promise<void> => {
    for (const [path, name] of Object.entries(asked)) expect(await request("GET", path)).toBe(golden(name));
  };
  const change = (): void => {
    ir.current = { ...ir.current };
  };
  expect(await request("GET", "/cache_stats")).toBe(golden("cache-empty"));
  for (const name of ["cache-cold", "cache-warm-one", "cache-warm-two"]) {
    await askAll();
    expect(await request("GET", "/cache_stats")).toBe(golden(name));
  }
  change();
  await askAll();
  expect(await request("GET", "/cache_stats")).toBe(golden("cache-cleared"));
  change();
  expect(await request("POST", "/cache_stats_delete")).toBe("");
  await askAll();
  expect(await request("GET", "/cache_stats")).toBe(golden("cache-cold"));
});

testWithGoldens("every golden is compared, or named with the reason why not", () => {
  const there = readdirSync(folder).flatMap((file) => /^(.*)\.json\.golden$/.exec(file)?.[1] ?? []);
  const compared = [...cases.map(([name]) => name), ...cacheGoldens];
  expect([...compared, ...Object.keys(impossible)].sort()).toEqual(there.sort());
});
