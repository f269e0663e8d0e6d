import type { AppProtocol } from "./mesh.ts";

const known: Record<string, AppProtocol> = {
  http: "http",
  http2: "http2",
  "kubernetes.io/h2c": "http2",
  grpc: "grpc",
  "grpc-web": "grpc",
  https: "tls",
  tls: "tls",
};

/**
 * Istio's explicit protocol selection: appProtocol goes first, then the part of the port's name before a dash.
 * Anything else is plain TCP, as Istio 0.2 has it.
 */
export function appProtocolOf(protocol: "TCP" | "UDP", portName: string, appProtocol: string | undefined): AppProtocol {
  if (protocol === "UDP") return "udp";
  const byField = appProtocol === undefined ? undefined : known[appProtocol.toLowerCase()];
  const name = portName.toLowerCase();
  // "grpc-web" has a dash of its own.
  return byField ?? known[name] ?? known[name.split("-")[0] ?? ""] ?? "tcp";
}
