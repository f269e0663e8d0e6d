import { formatEndpoint } from "@keelson/model/address";
import type { Endpoint } from "@keelson/protos/policy";

/** An endpoint, and what a destination's balancer knows of it. */
export interface Host {
  /** "address:port", by which it is the same host after a change of policy. */
  readonly name: string;
  endpoint: Endpoint;
  /** Requests under way. */
  active: number;
  /** In a row. */
  serverErrors: number;
  gatewayErrors: number;
  localErrors: number;
  /** When it was last ejected; undefined: it is not, now. */
  ejectedAt: number | undefined;
  /** How often it was ejected, less one for each interval that it did well since. */
  ejections: number;
}

export const newHost = (name: string, endpoint: Endpoint): Host => ({
  name,
  endpoint,
  active: 0,
  serverErrors: 0,
  gatewayErrors: 0,
  localErrors: 0,
  ejectedAt: undefined,
  ejections: 0,
});

export const nameOf = ({ address, port }: Endpoint): string => formatEndpoint(address, port);
