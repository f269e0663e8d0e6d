import { expect, test } from "vitest";
import { discoverySettings } from "./discovery-settings.ts";
import { discoveryEnvironment } from "./environment/environment.ts";
import { discoveryFlags } from "./flags/flags.ts";
import { readSettings } from "./read-settings.ts";
import type { SettingTable } from "./setting.ts";
import { flagValues, readEnvironment } from "./values.ts";

const any = (port: number): object => ({ host: "::", port });

test("without flags, the ports of every age are opened, but for 443", () => {
  const { settings, errors, warnings, withoutEffect } = readSettings([], {});
  expect(settings.addresses).toEqual({
    grpc: any(15_010),
    http: any(8080),
    secureGrpc: any(15_012),
    https: any(15_017),
    monitoring: any(15_014),
    oldMonitoring: any(9093),
    admission: undefined,
  });
  expect([errors, warnings, withoutEffect]).toEqual([[], [], []]);
});

test("addresses: empty for none, the old --port, the admission port with the old flags", () => {
  const args = [
    "--port",
    "8081",
    "--httpAddr=127.0.0.1:8080",
    "--secureGRPCAddr=",
    "--httpsAddr",
    "",
    "--monitoringPort=0",
  ];
  const { settings, withoutEffect } = readSettings(
    [...args, "--admission-service", "istio-pilot-external"],
    {},
  );
  expect(settings.addresses).toMatchObject({
    http: { host: "127.0.0.1", port: 8081 },
    secureGrpc: undefined,
    https: undefined,
    oldMonitoring: undefined,
    admission: any(443),
  });
  expect(withoutEffect).toEqual(["--admission-service"]);
});

test("xDS on the HTTP port, as istiod does it", () => {
  expect(readSettings(["--grpcAddr="], {})).toMatchObject({
    errors: [],
    settings: { addresses: { grpc: undefined } },
  });
  expect(readSettings(["--grpcAddr=", "--httpAddr="], {}).errors).toEqual([
    "--grpcAddr and --httpAddr are both empty: xDS would be served nowhere",
  ]);
});

test.each([
  [["--grpcAddr", "15010"], '--grpcAddr: "15010" is no listening address; use host:port or :port'],
  [["--monitoringPort", "70000"], '--monitoringPort: ":70000" is no listening address'],
  [
    ["--tlsCertFile=a"],
    "--tlsCertFile, --tlsKeyFile and --caCertFile belong together: give all three or none",
  ],
  [["--tls-min-version=1.1"], '--tls-min-version: "1.1" is neither 1.2 nor 1.3'],
  [["--shutdownDuration=-1s"], "--shutdownDuration: a duration below zero makes no sense"],
  [["--kubernetesApiQPS=0"], "--kubernetesApiQPS: 0 is not above zero, so nothing could be written"],
  [["--kubernetesApiBurst=0"], "--kubernetesApiBurst: 0 is less than one, so nothing could be written"],
  [["--keepaliveInterval", "20"], '--keepaliveInterval: "20" is no duration'],
  [["--log_output_level=loud"], '--log_output_level: "loud" is no level'],
  [["--profile", "false"], 'unexpected argument "false"; a switch is turned off by --name=false'],
  [["config"], 'unexpected argument "config"; discovery takes flags only'],
])("%j is a mistake", (args, error) => {
  expect(readSettings(args, {}).errors).toEqual([expect.stringContaining(error)]);
});

test("an unknown flag is ignored with a warning; --strict-flags makes it an error", () => {
  const args = ["--gprcAddr", ":1", "--new=2", "--domain=example.org"];
  const text = ["--gprcAddr: unknown flag; did you mean --grpcAddr?", "--new: unknown flag"];
  const loose = readSettings(args, {});
  expect(loose).toMatchObject({ errors: [], warnings: text.map((line) => `${line}; ignored`) });
  expect(loose.settings).toMatchObject({ domain: "example.org", addresses: { grpc: any(15_010) } });
  expect(readSettings([...args, "--strict-flags"], {})).toMatchObject({ errors: text, warnings: [] });
});

test("what has no meaning here is told, also variables that only istiod has", () => {
  const args = [
    "-v",
    "2",
    "--admission-service=x",
    "--resync",
    "1m",
    "--log_output_level=ads:debug,grpc:none",
  ];
  const environment = {
    PILOT_THROTTLE: "200",
    PILOT_SOMETHING_NEW: "1",
    PILOT_SERVICE_HOST: "10.0.0.1",
    PILOT_PORT_8080_TCP: "tcp://10.0.0.1:8080",
    POD_NAME: "istiod-1",
  };
  expect(readSettings(args, environment).withoutEffect).toEqual([
    "--admission-service",
    "--resync",
    "--v",
    "PILOT_THROTTLE",
    "--log_output_level=grpc:…",
    "PILOT_SOMETHING_NEW",
  ]);
});

test("how changes reach proxies", () => {
  const pushOf = (environment: Record<string, string>) => readSettings([], environment).settings?.push;
  const asIstiod = { debounce: { quietMs: 100, maxMs: 10_000 }, endpointsWait: true };
  const unlimited = { streamsPerSecond: Number.POSITIVE_INFINITY, pushesAtOnce: Number.POSITIVE_INFINITY };
  expect(pushOf({})).toEqual({ ...asIstiod, ...unlimited });
  const environment = {
    PILOT_DEBOUNCE_AFTER: "1s",
    PILOT_DEBOUNCE_MAX: "1m",
    PILOT_ENABLE_EDS_DEBOUNCE: "false",
    PILOT_PUSH_THROTTLE: "7",
    PILOT_MAX_REQUESTS_PER_SECOND: "2.5",
  };
  expect(pushOf(environment)).toEqual({
    debounce: { quietMs: 1_000, maxMs: 60_000 },
    endpointsWait: false,
    streamsPerSecond: 2.5,
    pushesAtOnce: 7,
  });
  expect(readSettings([], { PILOT_PUSH_THROTTLE: "-1" }).errors).toEqual([
    "PILOT_PUSH_THROTTLE: -1 is below zero",
  ]);
});

test("the environment", () => {
  const environment = {
    POD_NAME: "istiod-1",
    POD_NAMESPACE: "mesh",
    CLUSTER_ID: "east",
    GRPC_KEEPALIVE_INTERVAL: "1m",
    ISTIO_GPRC_MAXRECVMSGSIZE: "1000",
    ENABLE_DEBUG_ON_HTTP: "yes",
  };
  const { settings, warnings } = readSettings(["--clusterID=west"], environment);
  expect(settings.identity).toEqual({
    podName: "istiod-1",
    namespace: "mesh",
    clusterId: "west",
  });
  expect(settings.grpc).toMatchObject({ keepaliveIntervalMs: 60_000, maxRequestBytes: 1000 });
  expect(readSettings([], {}).settings.grpc).toMatchObject({
    keepaliveIntervalMs: 30_000,
    maxConnectionAgeMs: Infinity,
    maxRequestBytes: undefined,
  });
  expect(warnings).toEqual(['ENABLE_DEBUG_ON_HTTP: "yes" is neither true nor false; true is used']);
});

test("exactly the settings that are said to be honoured are read", () => {
  const read = new Set<string>();
  const watched = <T extends object>(values: T): T =>
    new Proxy(values, {
      get: (target, name) => {
        read.add(String(name));
        return Reflect.get(target, name) as unknown;
      },
    });
  const environment = readEnvironment(discoveryEnvironment, {}).values;
  const errors: string[] = [];
  discoverySettings(
    {
      flags: watched(flagValues(discoveryFlags, new Map(), environment)),
      environment: watched(environment),
      // As if everything were given: the way to every value is taken.
      givenFlags: new Set(Object.keys(discoveryFlags)),
      givenEnvironment: new Set(Object.keys(discoveryEnvironment)),
    },
    errors,
  );
  const honoured = (table: SettingTable): string[] =>
    Object.keys(table).filter((name) => table[name]?.status === "honoured");
  const throughFlags = new Set(
    Object.values<SettingTable[string]>(discoveryFlags)
      .filter(({ status }) => status === "honoured")
      .map(({ defaultFrom }) => defaultFrom),
  );
  expect(honoured(discoveryFlags).filter((name) => !read.has(name))).toEqual(["strict-flags"]);
  expect(honoured(discoveryEnvironment).filter((name) => !read.has(name) && !throughFlags.has(name))).toEqual(
    [],
  );
  const known = { ...discoveryFlags, ...discoveryEnvironment } as SettingTable;
  expect([...read].filter((name) => known[name]?.status !== "honoured")).toEqual([]);
});
