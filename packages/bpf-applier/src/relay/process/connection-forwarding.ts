import type { CallerConnection } from "./caller-connection.ts";
import { chooseForConnection } from "./connection-route.ts";
import { addressOf } from "./endpoint-address.ts";
import type { PolicyState } from "./policy-state.ts";
import { splice } from "./splice.ts";

/**
 * A connection that is decided once: plain TCP, or TLS by its server name. Its bytes go to one endpoint and back as they are; where
 * none can be reached, the caller's connection is reset.
 *
 * @param serverName that its TLS handshake asks for, if any
 */
export function forwardConnection(
  connection: CallerConnection,
  serverName: string | undefined,
  policy: PolicyState,
  random: () => number,
): void {
  toEndpoint(connection, serverName, policy, random).catch(() => connection.socket.destroy());
}

async function toEndpoint(
  connection: CallerConnection,
  serverName: string | undefined,
  policy: PolicyState,
  random: () => number,
): Promise<void> {
  const { socket, network, service, caller, family } = connection;
  const destination = chooseForConnection(service.port, { caller, serverName }, random);
  const balancer = destination === undefined ? undefined : policy.balancers.of(destination, family);
  const endpoint = balancer?.pick({ hash: undefined, tried: [], random }, performance.now());
  if (balancer === undefined || endpoint === undefined) return void socket.resetAndDestroy();
  balancer.started(endpoint);
  const { address, port } = addressOf(endpoint);
  try {
    const upstream = await network.connect(address, port, balancer.limits.connectTimeoutMs);
    const onDone = (): void => balancer.ended(endpoint, { kind: "abandoned" }, performance.now());
    if (socket.destroyed) {
      upstream.destroy();
      return onDone();
    }
    upstream.setNoDelay(true);
    splice(socket, upstream, onDone);
  } catch {
    balancer.ended(endpoint, { kind: "connectFailure" }, performance.now());
    socket.resetAndDestroy();
  }
}
