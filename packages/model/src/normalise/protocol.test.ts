import { expect, test } from "vitest";
import { protocolOf } from "./protocol.ts";

const protocol = ({
  name = "",
  port = 9080,
  transport = "TCP" as "TCP" | "UDP",
  appProtocol = undefined as string | undefined,
}) => protocolOf({ name, port, transport, appProtocol });

// Istio's documentation, "Protocol Selection": every protocol it lists, by name and by appProtocol.
test.each(["http", "http2", "https", "tcp", "tls", "grpc", "grpc-web", "mongo", "mysql", "redis"])(
  "%s",
  (text) => {
    expect(protocol({ name: text })).toBe(text);
    expect(protocol({ name: `${text}-main` })).toBe(text);
    expect(protocol({ name: text.toUpperCase() })).toBe(text);
    expect(protocol({ name: "database", appProtocol: text })).toBe(text);
  },
);

test.each([
  ["kubernetes.io/h2c", "http2"],
  ["kubernetes.io/ws", "http"],
  ["kubernetes.io/wss", "https"],
])("appProtocol %s is %s", (appProtocol, expected) => {
  expect(protocol({ appProtocol })).toBe(expected);
});

test("appProtocol counts instead of the name, even where it says nothing that is known", () => {
  expect(protocol({ name: "http", appProtocol: "mysql" })).toBe("mysql");
  expect(protocol({ name: "http", appProtocol: "example.com/own" })).toBe("unknown");
});

test.each(["", "web", "httpx", "http_web", "unknown", "unknown-x", "-http", "constructor"])(
  "the name %j tells nothing",
  (name) => {
    expect(protocol({ name })).toBe("unknown");
  },
);

test.each([25, 53, 3306, 27017])(
  "on port %i the server speaks first, so it is TCP unless the name tells",
  (port) => {
    expect(protocol({ name: "db", port })).toBe("tcp");
    expect(protocol({ name: "http", port })).toBe("http");
  },
);

test("UDP is UDP, whatever its name", () => {
  expect(protocol({ name: "http", transport: "UDP", appProtocol: "grpc" })).toBe("udp");
});
