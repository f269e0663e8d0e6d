import { expect, test } from "vitest";
import { parseObject } from "../parse-object.ts";
import { destinationRule, type IstioFields, originAt } from "../testing/index.ts";

const problemsOf = (spec: IstioFields["spec"]): string[] =>
  parseObject(destinationRule({ ...(spec && { spec }) }), originAt("a.yaml")).problems.map(
    ({ severity, field, message }) => `${severity} ${field}: ${message}`,
  );

test.each<[string, IstioFields["spec"], RegExp]>([
  [
    "one subset a name",
    { subsets: [{ name: "a" }, { name: "a" }] },
    /subsets\[1\]\.name: there is a subset "a" already/,
  ],
  ["a policy that says something", { trafficPolicy: {} }, /spec\.trafficPolicy: says nothing/],
  [
    "one balancing",
    { trafficPolicy: { loadBalancer: { simple: "RANDOM", consistentHash: { useSourceIp: true } } } },
    /only one/,
  ],
  [
    "one key to hash",
    { trafficPolicy: { loadBalancer: { consistentHash: { useSourceIp: true, httpHeaderName: "a" } } } },
    /only one of httpHeaderName, useSourceIp/,
  ],
  [
    "a prime table",
    {
      trafficPolicy: { loadBalancer: { consistentHash: { useSourceIp: true, maglev: { tableSize: 100 } } } },
    },
    /100 is no prime/,
  ],
  ["a pool of something", { trafficPolicy: { connectionPool: {} } }, /connectionPool: needs tcp or http/],
  [
    "certificates for mutual TLS",
    { trafficPolicy: { tls: { mode: "MUTUAL", privateKey: "/k" } } },
    /needs a clientCertificate/,
  ],
  [
    "one source of certificates",
    { trafficPolicy: { tls: { mode: "SIMPLE", credentialName: "a", caCertificates: "/c" } } },
    /caCertificates: stands beside credentialName/,
  ],
  ["known TLS modes", { trafficPolicy: { tls: { mode: "BOTH" } } }, /tls\.mode/],
  [
    "own namespace with a selector",
    { workloadSelector: { matchLabels: { a: "b" } }, exportTo: ["*"] },
    /own namespace only/,
  ],
  [
    "a port in port settings",
    { trafficPolicy: { portLevelSettings: [{ tls: { mode: "DISABLE" } }] } },
    /portLevelSettings\[0\]\.port: is required/,
  ],
  [
    "fields that exist",
    { trafficPolicy: { outlierDetection: { consecutive5xxErors: 1 } } },
    /did you mean "consecutive5xxErrors"/,
  ],
])("a DestinationRule has %s", (_, spec, message) => {
  const problems = problemsOf(spec);
  expect(problems).toEqual([expect.stringMatching(message)]);
  expect(problems[0]).toMatch(/^error /);
});

test("what is known and has no effect yet is a warning with its name", () => {
  const trafficPolicy = {
    tunnel: { targetHost: "a.b", targetPort: 1 },
    retryBudget: { percent: 1 },
    connectionPool: { http: { http2KeepAlive: { interval: "1s", timeout: "1s" } } },
    outlierDetection: { consecutiveErrors: 3 },
    loadBalancer: { warmup: { duration: "10s", aggression: 2 } },
    tls: { mode: "SIMPLE", caCrl: "/crl" },
  };
  const subsets = [{ name: "a", trafficPolicy: { loadBalancer: { zoneAwareLbSetting: {} } } }];
  expect(problemsOf({ subsets, trafficPolicy })).toEqual(
    [
      "subsets[0].trafficPolicy.loadBalancer.zoneAwareLbSetting",
      "trafficPolicy.tunnel",
      "trafficPolicy.retryBudget",
      "trafficPolicy.connectionPool.http.http2KeepAlive",
      "trafficPolicy.outlierDetection.consecutiveErrors",
      "trafficPolicy.loadBalancer.warmup.aggression",
      "trafficPolicy.tls.caCrl",
    ].map((field) =>
      expect.stringMatching(`^warning spec\\.${field.replaceAll(/[.[\]]/g, "\\$&")}: has no effect`),
    ),
  );
});
