import { formatAddress, formatEndpoint } from "@keelson/model/address";
import type { Endpoint } from "@keelson/protos/policy";

/** Where an endpoint is reached. */
export interface EndpointAddress {
  readonly address: string;
  readonly port: number;
  /** "address:port", of IPv6 in brackets. */
  readonly text: string;
}

const known = new WeakMap<Endpoint, EndpointAddress>();

/** As text, made once for each endpoint. */
export function addressOf(endpoint: Endpoint): EndpointAddress {
  let found = known.get(endpoint);
  if (found === undefined) {
    const { address, port } = endpoint;
    found = { address: formatAddress(address), port, text: formatEndpoint(address, port) };
    known.set(endpoint, found);
  }
  return found;
}
