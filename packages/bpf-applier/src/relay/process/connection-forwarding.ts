import type { Socket } from "node:net";
import { longestTimeMs } from "../policy/longest-time.ts";
import type { Limits } from "../policy/types.ts";
import { after } from "./after.ts";
import type { CallerConnection } from "./caller-connection.ts";
import { linksOf } from "./connection-links.ts";
import { chooseForConnection } from "./connection-route.ts";
import type { CounterBook } from "./counter-book.ts";
import type { PolicyState } from "./policy-state.ts";
import { splice } from "./splice.ts";
import { Overflow } from "./upstream-pool.ts";

/** What connections are decided by, and counted in. */
export interface ForwardingScene {
  readonly policy: PolicyState;
  readonly counters: CounterBook;
  /** 0 up to 1, as Math.random. */
  readonly random: () => number;
}

/**
 * A connection that is decided once: plain TCP, or TLS by its server name. Its bytes go to one endpoint and back as they are; where
 * none can be reached, or the destination has as many connections as a rule allows, the caller's connection is reset.
 *
 * @param serverName that its TLS handshake asks for, if any
 */
export function forwardConnection(
  connection: CallerConnection,
  serverName: string | undefined,
  scene: ForwardingScene,
): void {
  toEndpoint(connection, serverName, scene).catch(() => connection.socket.destroy());
}

async function toEndpoint(
  connection: CallerConnection,
  serverName: string | undefined,
  { policy, counters, random }: ForwardingScene,
): Promise<void> {
  const { socket, service, caller, family } = connection;
  const destination = chooseForConnection(service.port, { caller, serverName }, random);
  const balancer = destination === undefined ? undefined : policy.balancers.of(destination, family);
  const endpoint = balancer?.pick({ hash: undefined, tried: [], random }, performance.now());
  if (destination === undefined || balancer === undefined || endpoint === undefined)
    return void socket.resetAndDestroy();
  balancer.started(endpoint);
  try {
    const upstream = await linksOf(connection, destination, balancer).openForBytes(endpoint);
    const onDone = (): void => balancer.ended(endpoint, { kind: "abandoned" }, performance.now());
    if (socket.destroyed) {
      upstream.destroy();
      return onDone();
    }
    upstream.setNoDelay(true);
    splice(socket, upstream, onDone);
    boundTime(socket, upstream, balancer.limits);
  } catch (error) {
    const kind = error instanceof Overflow ? "overflow" : "connectFailure";
    if (kind === "overflow") counters.refused.overflow++;
    balancer.ended(endpoint, { kind }, performance.now());
    socket.resetAndDestroy();
  }
}

/** Closes both once nothing went either way for so long, or once their time is over. */
function boundTime(
  caller: Socket,
  upstream: Socket,
  { bytesIdleTimeoutMs, connectionDurationMs }: Limits,
): void {
  const end = (): void => {
    caller.destroy();
    upstream.destroy();
  };
  // All that goes to or comes from the one goes over the other, too.
  if (Number.isFinite(bytesIdleTimeoutMs))
    caller.setTimeout(Math.min(bytesIdleTimeoutMs, longestTimeMs), end);
  if (!Number.isFinite(connectionDurationMs)) return;
  const timer = after(connectionDurationMs, end);
  caller.once("close", () => clearTimeout(timer));
}
