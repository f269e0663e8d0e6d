import type { DestinationExplanation, PortExplanation, ServiceExplanation } from "@keelson/compiler";
import { expect, test } from "vitest";
import { plain } from "../output/paint.ts";
import { explanationsText } from "./text.ts";

const hostname = "reviews.default.svc.cluster.local";

const destination = (part: Partial<DestinationExplanation>): DestinationExplanation => ({
  hostname,
  labels: {},
  weight: 100,
  share: 1,
  endpoints: [{ address: "10.0.0.1:9080", workload: "default/reviews-v1" }],
  ...part,
});

const port = (part: Partial<PortExplanation>): PortExplanation => ({
  port: 9080,
  name: "http",
  transport: "TCP",
  protocol: "http",
  wantedTier: "connect",
  tier: "connect",
  why: "all requests go to one destination",
  rules: [],
  destinations: [destination({})],
  ...part,
});

const service = (part: Partial<ServiceExplanation>): ServiceExplanation => ({
  hostname,
  namespace: "default",
  addresses: ["10.96.0.3", "fd00:96::3"],
  ports: [port({})],
  ...part,
});

const textOf = (...services: ServiceExplanation[]): string => explanationsText(services, plain);

test("a service without rules", () => {
  expect(textOf(service({}))).toBe(`reviews.default.svc.cluster.local
  addresses  10.96.0.3, fd00:96::3

  port 9080/TCP (http)
    protocol  http
    tier      connect: all requests go to one destination
    rules     none
    destinations
      SHARE  TO             ENDPOINT       WORKLOAD
      100%   all endpoints  10.0.0.1:9080  default/reviews-v1`);
});

test("rules in their order, weights, a share that is refused, and a tier that is not there yet", () => {
  const explained = port({
    wantedTier: "kernel",
    why: "weights over 2 destinations count requests",
    rules: [
      { rule: "RouteRule default/jason", precedence: 2, state: "not applied", why: "matches on the request" },
      { rule: "RouteRule default/reviews", precedence: 1, state: "applies", why: "" },
      {
        rule: "RouteRule default/old",
        precedence: 0,
        state: "shadowed",
        why: "RouteRule default/reviews is first",
      },
    ],
    destinations: [
      destination({
        labels: { version: "v1", zone: "a" },
        share: 2 / 3,
        endpoints: [
          { address: "10.0.0.1:9080", workload: "default/reviews-v1" },
          { address: "[fd00::2]:9080", workload: "" },
        ],
      }),
      destination({
        labels: { version: "v9" },
        share: 1 / 3,
        endpoints: [],
        warning: "none of its 2 endpoints has the labels version=v9: this share is refused (ECONNREFUSED)",
      }),
    ],
  });
  expect(textOf(service({ ports: [explained] }))).toBe(`reviews.default.svc.cluster.local
  addresses  10.96.0.3, fd00:96::3

  port 9080/TCP (http)
    protocol  http
    tier      connect, but wants kernel: weights over 2 destinations count requests
    rules, in the order in which they are asked
      PRECEDENCE  RULE                       STATE        WHY
      2           RouteRule default/jason    not applied  matches on the request
      1           RouteRule default/reviews  applies
      0           RouteRule default/old      shadowed     RouteRule default/reviews is first
    destinations
      SHARE  TO                 ENDPOINT        WORKLOAD
      66.7%  version=v1,zone=a  10.0.0.1:9080   default/reviews-v1
                                [fd00::2]:9080
      33.3%  version=v9         none
      warning: 33.3% to version=v9: none of its 2 endpoints has the labels version=v9: this share is refused (ECONNREFUSED)`);
});

test("routes that the relay answers by, each with where it leads and what it wants", () => {
  const carried = (why: string, ...destinations: DestinationExplanation[]) =>
    ({ tier: "relay", why, destinations }) as const;
  const v1 = destination({ labels: { version: "v1" }, share: 0.8 });
  const warning = "no endpoint: this share is refused (503 for a request)";
  const v9 = destination({ labels: { version: "v9" }, share: 0.2, endpoints: [], warning });
  const vs = { rule: "VirtualService default/reviews", precedence: 0, state: "applies", why: "" } as const;
  const explained = port({
    wantedTier: "relay",
    tier: "relay",
    why: "spec.http[1].redirect needs the relay",
    rules: [
      { ...vs, field: "spec.http[0]", carried: carried("weighs 2 destinations", v1, v9) },
      { ...vs, field: "spec.http[1]", carried: carried("redirects requests") },
      { ...vs, field: "spec.http[2]", state: "shadowed", why: "it is first" },
    ],
  });
  expect(textOf(service({ ports: [explained] }))).toBe(`reviews.default.svc.cluster.local
  addresses  10.96.0.3, fd00:96::3

  port 9080/TCP (http)
    protocol  http
    tier      relay: spec.http[1].redirect needs the relay
    rules, in the order in which they are asked
      PRECEDENCE  RULE                                    STATE     TIER   TO                              WHY
      0           VirtualService default/reviews http[0]  applies   relay  80% version=v1, 20% version=v9  weighs 2 destinations
      0           VirtualService default/reviews http[1]  applies   relay  answers itself                  redirects requests
      0           VirtualService default/reviews http[2]  shadowed                                         it is first
      warning: 20% to version=v9: no endpoint: this share is refused (503 for a request)
    destinations of connections on a node without a relay
      SHARE  TO             ENDPOINT       WORKLOAD
      100%   all endpoints  10.0.0.1:9080  default/reviews-v1`);
});

test("another service's endpoints are said to be another's", () => {
  const to = destination({ hostname: "ratings.default.svc.cluster.local" });
  expect(textOf(service({ ports: [port({ destinations: [to] })] }))).toContain(
    "100%   ratings.default.svc.cluster.local all endpoints  10.0.0.1:9080",
  );
});

test("a headless service, a port without a name, and a service without ports", () => {
  const text = textOf(
    service({ addresses: [], ports: [port({ name: "", port: 53, transport: "UDP" })] }),
    service({ ports: [] }),
  );
  expect(text).toContain(
    "  addresses  none (headless: callers dial the endpoints themselves)\n\n  port 53/UDP\n",
  );
  expect(text).toMatch(/\n\nreviews\.default\.svc\.cluster\.local\n.*\n\n {2}no TCP or UDP ports$/);
});

test("of many endpoints the rest is counted", () => {
  const endpoints = Array.from({ length: 25 }, (_, i) => ({
    address: `10.0.0.${i}:80`,
    workload: `default/p${i}`,
  }));
  const text = textOf(service({ ports: [port({ destinations: [destination({ endpoints })] })] }));
  expect(text).toContain("10.0.0.19:80");
  expect(text).not.toContain("10.0.0.20:80");
  expect(text).toMatch(/ and 5 more$/);
});

test("what needs attention is coloured", () => {
  const refused = destination({ endpoints: [], warning: "no endpoint" });
  const rule = { rule: "RouteRule default/r", precedence: 1, why: "" };
  const explained = port({
    wantedTier: "relay",
    rules: [
      { ...rule, state: "partly applies" },
      { ...rule, state: "shadowed" },
    ],
    destinations: [refused],
  });
  const text = explanationsText(
    [service({ ports: [explained] })],
    (style, painted) => `<${style}>${painted}</>`,
  );
  expect(text).toContain("<yellow>but wants relay</>");
  expect(text).toContain("<yellow>partly applies</>");
  expect(text).toContain("<dim>shadowed</>");
  expect(text).toContain("<yellow>warning</>: 100% to all endpoints: no endpoint");
});

test("no services", () => {
  expect(textOf()).toBe("the configuration has no services");
});

test("routes of a port whose requests are looked at: which tier takes each, and why not the kernel", () => {
  const carried = { tier: "kernel", why: "", destinations: [destination({})] } as const;
  const rule = { precedence: 0, state: "applies", why: "" } as const;
  const relayedBecause = "it sets a timeout";
  const rules = [
    { ...rule, rule: "VirtualService default/a", carried },
    {
      ...rule,
      rule: "VirtualService default/b",
      carried: { ...carried, tier: "relay" as const, relayedBecause },
    },
  ];
  const lines = textOf(service({ ports: [port({ tier: "relay", wantedTier: "relay", rules })] })).split("\n");
  expect(lines.filter((line) => line.includes("VirtualService"))).toEqual([
    "      0           VirtualService default/a  applies  kernel  100% all endpoints",
    "      0           VirtualService default/b  applies  relay   100% all endpoints  not in the kernel: it sets a timeout",
  ]);
});
