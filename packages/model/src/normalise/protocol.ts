import { type ApplicationProtocol, applicationProtocols, type Transport } from "../model.ts";

const known = new Set<string>(applicationProtocols);

/** Kubernetes' own names for appProtocol (KEP-3726). */
const kubernetesNames: Record<string, ApplicationProtocol> = {
  "kubernetes.io/h2c": "http2",
  "kubernetes.io/ws": "http",
  "kubernetes.io/wss": "https",
};

/** Ports whose server speaks first, so that nothing may be sniffed there (Istio: "Server First Protocols"). */
const serverFirstPorts = new Set([25, 53, 3306, 27017]);

/** appProtocol wins over the name; of the name, what stands before the first "-" counts, in any case. */
export function protocolOf(port: {
  name: string;
  port: number;
  transport: Transport;
  appProtocol?: string | undefined;
}): ApplicationProtocol {
  if (port.transport === "UDP") return "udp";
  const explicit = port.appProtocol?.toLowerCase();
  if (explicit !== undefined) {
    const protocol = kubernetesNames[explicit] ?? asProtocol(explicit);
    if (protocol !== undefined) return protocol;
  }
  const name = port.name.toLowerCase();
  if (name.startsWith("grpc-web")) return "grpc-web";
  return asProtocol(name.split("-")[0] ?? "") ?? (serverFirstPorts.has(port.port) ? "tcp" : "unknown");
}

function asProtocol(text: string): ApplicationProtocol | undefined {
  return known.has(text) && text !== "unknown" ? (text as ApplicationProtocol) : undefined;
}
