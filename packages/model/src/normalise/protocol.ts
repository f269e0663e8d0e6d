import { type ApplicationProtocol, applicationProtocols, type Transport } from "../model.ts";

/** Kubernetes' own names for appProtocol (KEP-3726). */
const kubernetesNames = new Map<string, ApplicationProtocol>([
  ["kubernetes.io/h2c", "http2"],
  ["kubernetes.io/ws", "http"],
  ["kubernetes.io/wss", "https"],
]);

/** Ports whose server speaks first, so that nothing may be sniffed there (Istio: "Server First Protocols"). */
const serverFirstPorts = new Set([25, 53, 3306, 27017]);

/**
 * appProtocol, where it is set, counts instead of the name; of either, what stands before the first "-" counts, in any
 * case (Istio: "Explicit protocol selection").
 */
export function protocolOf(port: {
  name: string;
  port: number;
  transport: Transport;
  appProtocol?: string | undefined;
}): ApplicationProtocol {
  if (port.transport === "UDP") return "udp";
  const text = (port.appProtocol ?? port.name).toLowerCase();
  return asProtocol(text) ?? (serverFirstPorts.has(port.port) ? "tcp" : "unknown");
}

function asProtocol(text: string): ApplicationProtocol | undefined {
  if (kubernetesNames.has(text)) return kubernetesNames.get(text);
  if (text.startsWith("grpc-web")) return "grpc-web";
  const beginning = text.split("-")[0];
  return applicationProtocols.find((protocol) => protocol === beginning && protocol !== "unknown");
}
