import { Resolution } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { formatAddress } from "../address.ts";
import { readAs, type ServiceFields, service } from "../testing/manifests.ts";
import { normaliseService } from "./services.ts";

const normalise = (fields: ServiceFields) =>
  normaliseService(readAs("Service", service(fields)), "cluster.local", "cluster.local");
const addressesOf = (fields: ServiceFields) => normalise(fields).value?.addresses.map(formatAddress);

test("hostname, address and port", () => {
  expect(normalise({ name: "ratings", namespace: "shop" })).toEqual({
    problems: [],
    value: {
      hostname: "ratings.shop.svc.cluster.local",
      namespace: "shop",
      addresses: [Uint8Array.of(10, 96, 0, 1)],
      ports: [{ port: 9080, name: "http", transport: "TCP", protocol: "http" }],
      resolution: Resolution.STATIC,
      meshExternal: false,
      exportedTo: [],
      identities: [],
      aliases: [],
      addressBlocks: [],
      waypoint: "",
      object: expect.objectContaining({ kind: "Service" }),
    },
  });
});

test("a dual-stack service has an address of each family, IPv4 first", () => {
  expect(addressesOf({ ips: ["fd00:96::1", "10.96.0.1"] })).toEqual(["10.96.0.1", "fd00:96::1"]);
});

test.each([
  ["clusterIP alone", { clusterIPs: undefined, clusterIP: "10.96.0.2" }, ["10.96.0.2"]],
  ["clusterIP beside empty clusterIPs", { clusterIPs: [], clusterIP: "10.96.0.2" }, ["10.96.0.2"]],
  ["a headless service", { clusterIPs: ["None"], clusterIP: "None" }, []],
  ["no address yet", { clusterIPs: undefined, clusterIP: "" }, []],
])("%s", (_, spec, expected) => {
  expect(addressesOf({ spec })).toEqual(expected);
});

test.each([
  { clusterIPs: ["None"], clusterIP: "None" },
  { clusterIPs: ["None"], clusterIP: undefined },
  { clusterIPs: undefined, clusterIP: "None" },
])("connections to a headless service (%j) go where the caller dials", (spec) => {
  expect(normalise({ spec }).value?.resolution).toBe(Resolution.PASSTHROUGH);
  expect(normalise({}).value?.resolution).toBe(Resolution.STATIC);
});

test("text that is no address is left out, and its place told", () => {
  const { value, problems } = normalise({ ips: ["10.96.0.1", "10.96.0.256"] });
  expect(value?.addresses).toHaveLength(1);
  expect(problems).toMatchObject([
    {
      severity: "error",
      field: "spec.clusterIPs[1]",
      message: '"10.96.0.256" is no IP address, and is left out',
    },
  ]);
  expect(normalise({ ips: [], spec: { clusterIP: "x" } }).problems).toMatchObject([
    { field: "spec.clusterIP" },
  ]);
});

test("nobody dials an ExternalName by an address", () => {
  const spec = { type: "ExternalName", externalName: "db.example.com", clusterIPs: undefined };
  expect(normalise({ spec })).toEqual({ value: undefined, problems: [] });
});

test("ports are sorted by number, then transport; one number may serve both", () => {
  const { value } = normalise({
    ports: [
      { name: "dns", port: 53, protocol: "UDP" },
      { name: "http-x", port: 80 },
      { name: "dns-tcp", port: 53, protocol: "TCP" },
    ],
  });
  expect(value?.ports.map(({ port, transport, protocol }) => `${port}/${transport} ${protocol}`)).toEqual([
    "53/TCP tcp",
    "53/UDP udp",
    "80/TCP http",
  ]);
});

test("SCTP is left alone, and a port that stands twice counts once", () => {
  const { value, problems } = normalise({
    ports: [
      { name: "http", port: 80 },
      { name: "sctp", port: 80, protocol: "SCTP" },
      { name: "tcp", port: 80 },
    ],
  });
  expect(value?.ports.map(({ name }) => name)).toEqual(["http"]);
  expect(problems).toMatchObject([
    { severity: "warning", field: "spec.ports[1].protocol" },
    { severity: "error", field: "spec.ports[2]", message: "port 80/TCP stands twice; the first one counts" },
  ]);
});
