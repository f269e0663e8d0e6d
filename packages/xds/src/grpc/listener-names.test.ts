import { expect, test } from "vitest";
import { parseClientName, parseServerName, serverListenerName } from "./listener-names.ts";

const domain = "default.svc.cluster.local";

test.for([
  ["echo.default.svc.cluster.local:80", ["echo.default.svc.cluster.local"], 80],
  ["echo:80", ["echo", `echo.${domain}`], 80],
  ["echo.default:80", ["echo.default", `echo.${domain}`], 80],
  ["echo.default.svc:80", ["echo.default.svc", `echo.${domain}`], 80],
  ["echo.other:80", ["echo.other"], 80],
  ["echo.defaults:80", ["echo.defaults"], 80],
  ["echo", ["echo", `echo.${domain}`], undefined],
  ["[fd00::1]:80", ["fd00::1", `fd00::1.${domain}`], 80],
  ["echo:0", ["echo:0", `echo:0.${domain}`], undefined],
  ["echo:65536", ["echo:65536", `echo:65536.${domain}`], undefined],
] as const)("a client that asks for %s dials %s, port %s", ([name, hostnames, port]) => {
  expect(parseClientName(name, domain)).toEqual({ hostnames, port });
});

test.for([
  ["10.0.0.1", 80],
  ["::", 50_051],
] as const)("a server on %s, port %s, is known by the name that it asks for", ([address, port]) => {
  expect(parseServerName(serverListenerName(address, port))).toEqual({ address, port });
});

test("what is no address of a server is none", () => {
  expect(parseServerName("xds.istio.io/grpc/lds/inbound/10.0.0.1")).toBeUndefined();
  expect(parseServerName("10.0.0.1:80")).toBeUndefined();
});
