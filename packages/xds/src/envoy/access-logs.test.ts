import type { AccessLog } from "@envoyproxy/xds-protos/envoy/config/accesslog/v3/accesslog_pb.js";
import { FileAccessLogSchema } from "@envoyproxy/xds-protos/envoy/extensions/access_loggers/file/v3/file_pb.js";
import type { MeshSchema } from "@keelson/protos/proxy";
import { expect, test } from "vitest";
import { aMesh } from "./testing/builders.ts";
import { decoded, typedConfigOf } from "./testing/decoded.ts";
import { chainsOf, filtersOf } from "./testing/references.ts";
import type { Init } from "./wire.ts";

const outbound = (mesh: Init<typeof MeshSchema>) =>
  decoded({ mesh: aMesh(mesh) }).listener("virtualOutbound");
const formatOf = (log: AccessLog | undefined) => {
  const { accessLogFormat } = typedConfigOf(FileAccessLogSchema, log);
  return accessLogFormat.case === "logFormat" ? accessLogFormat.value.format : undefined;
};

test("without a file nothing is logged", () => {
  expect(outbound({}).accessLog).toEqual([]);
});

test("chains log what they took, the listener only what none of them did", () => {
  const listener = outbound({ accessLogFile: "/var/log/envoy" });
  const [proxy] = chainsOf(listener).flatMap((chain) => filtersOf(chain).proxies);
  expect(proxy?.accessLog).toHaveLength(1);
  expect(proxy?.accessLog[0]?.filter).toBeUndefined();
  expect(listener.accessLog[0]?.filter?.filterSpecifier).toMatchObject({ value: { flags: ["NR"] } });
});

test.each([
  ["/dev/stdout", "envoy.access_loggers.stdout"],
  ["/dev/stderr", "envoy.access_loggers.stderr"],
  ["/var/log/envoy", "envoy.access_loggers.file"],
])("%s is written by %s", (accessLogFile, expected) => {
  expect(outbound({ accessLogFile }).accessLog.map(({ name }) => name)).toEqual([expected]);
});

test("the format is Istio's line or fields, or what the mesh says; what cannot be read is not", () => {
  const format = (mesh: Init<typeof MeshSchema>) =>
    formatOf(outbound({ accessLogFile: "/log", ...mesh }).accessLog[0]);
  expect(format({})?.value).toMatchObject({
    specifier: { value: expect.stringMatching(/^\[%START_TIME%\] .*%ROUTE_NAME%\n$/) as string },
  });
  expect(format({ accessLogFormat: "%PROTOCOL%\n" })?.value).toMatchObject({
    specifier: { value: "%PROTOCOL%\n" },
  });
  expect(format({ accessLogJson: true })?.value).toMatchObject({ method: "%REQ(:METHOD)%" });
  expect(format({ accessLogJson: true, accessLogFormat: '{"p": "%PROTOCOL%"}' })?.value).toEqual({
    p: "%PROTOCOL%",
  });
  expect(format({ accessLogJson: true, accessLogFormat: "{" })?.value).toMatchObject({
    method: "%REQ(:METHOD)%",
  });
});
