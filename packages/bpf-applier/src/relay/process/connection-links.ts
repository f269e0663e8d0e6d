import { ApplicationProtocol } from "@keelson/protos/policy";
import type { Balancer, DestinationRef } from "../policy/types.ts";
import type { CallerConnection } from "./caller-connection.ts";
import type { DestinationLinks } from "./destination-links.ts";

const speaksHttp2: ReadonlySet<ApplicationProtocol> = new Set([
  ApplicationProtocol.HTTP2,
  ApplicationProtocol.GRPC,
  ApplicationProtocol.GRPC_WEB,
]);

/** The connections of a connection's caller to a destination, for requests and for bytes: what bounds them counts both. */
export function linksOf(
  { network, origin, service }: CallerConnection,
  destination: DestinationRef,
  balancer: Balancer,
): DestinationLinks {
  const http2 = speaksHttp2.has(service.port.applicationProtocol);
  return network.linksTo(origin.workload, destination, balancer, http2);
}
