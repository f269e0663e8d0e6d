import type { Socket } from "node:net";
import { type Family, familyOf, formatAddress } from "@keelson/model/address";
import { ApplicationProtocol, type Workload } from "@keelson/protos/policy";
import type { CallerConnection } from "./caller-connection.ts";
import type { CallerNetwork, Taker } from "./caller-network.ts";
import type { CounterBook } from "./counter-book.ts";
import type { Spoken } from "./first-bytes.ts";
import type { HeldConnection } from "./holding/held-connection.ts";
import type { Holding, LeftConnection } from "./holding/holding.ts";
import type { OpeningBytes } from "./opening-bytes.ts";
import type { Origin, OriginLookup } from "./origin-lookup.ts";
import type { PolicyState } from "./policy-state.ts";

/** How long a connection waits for the first policy of a relay that has just started. */
const policyWaitMs = 5_000;
/** Open connections of one network namespace. */
const mostConnections = 50_000;

/** Who goes on with a connection once it is known what is spoken on it. */
export interface Speakers {
  http1(connection: CallerConnection): void;
  http2(connection: CallerConnection): void;
  /** @param tls it begins with a handshake; else it may be anything */
  bytes(connection: CallerConnection, tls: boolean): void;
}

/** Whose callers speak first. */
const callerBegins: ReadonlySet<ApplicationProtocol> = new Set([
  ApplicationProtocol.HTTP,
  ApplicationProtocol.HTTP2,
  ApplicationProtocol.GRPC,
  ApplicationProtocol.GRPC_WEB,
  ApplicationProtocol.HTTP_PROXY,
  ApplicationProtocol.HTTPS,
  ApplicationProtocol.TLS,
]);

/** A connection of which it is known whose it is. */
interface Known {
  readonly origin: Origin;
  readonly family: 4 | 6;
  readonly held: HeldConnection | undefined;
  /** Requests of HTTP/1.x were answered on it before. */
  readonly goesOn?: boolean;
}

/** Takes callers' connections: whose they are, whom they dialled, what they speak. */
export class FrontDoor implements Taker {
  private readonly origins: OriginLookup;
  private readonly policy: PolicyState;
  private readonly counters: CounterBook;
  private readonly speakers: Speakers;
  private readonly opening: OpeningBytes;
  private readonly holding: Holding | undefined;

  /** @param holding undefined: connections end with this process */
  constructor(
    origins: OriginLookup,
    policy: PolicyState,
    counters: CounterBook,
    speakers: Speakers,
    opening: OpeningBytes,
    holding: Holding | undefined,
  ) {
    this.opening = opening;
    this.holding = holding;
    this.origins = origins;
    this.policy = policy;
    this.counters = counters;
    this.speakers = speakers;
  }

  /** @param family of the address that it was accepted on */
  accept(socket: Socket, family: 4 | 6, network: CallerNetwork): void {
    socket.on("error", () => socket.destroy());
    const { remoteAddress: address, remotePort: port } = socket;
    const origin =
      address === undefined || port === undefined
        ? undefined
        : this.origins.take({ network: network.cookie, address, port });
    if (origin === undefined) return this.refuse(socket, "unknownOrigin");
    if (network.callers.size >= mostConnections) return this.refuse(socket, "tooManyConnections");
    const held = this.holding?.hold(socket, { network: network.cookie, family, origin });
    this.admit(socket, network, { origin, family, held });
  }

  resume(socket: Socket, left: LeftConnection, network: CallerNetwork): void {
    socket.on("error", () => socket.destroy());
    const { origin, family, position } = left;
    const held = this.holding?.resume(socket, left);
    this.admit(socket, network, { origin, family, held, goesOn: position.read > 0 });
  }

  private admit(socket: Socket, network: CallerNetwork, known: Known): void {
    const { remotePort: port, remoteAddress: address } = socket;
    if (port === undefined || address === undefined) return this.refuse(socket, "unknownOrigin");
    network.callers.add(socket);
    socket.once("close", () => network.callers.delete(socket));
    const timer = setTimeout(() => this.refuse(socket, "noPolicy"), policyWaitMs);
    const forget = this.policy.whenKnown(() => {
      clearTimeout(timer);
      this.begin(socket, network, known, { address, port });
    });
    socket.once("close", () => {
      clearTimeout(timer);
      forget();
    });
  }

  private begin(
    socket: Socket,
    network: CallerNetwork,
    { origin, held, goesOn, ...known }: Known,
    from: { address: string; port: number },
  ): void {
    const service = this.policy.service(origin.service);
    if (service === undefined) return this.refuse(socket, "unknownService");
    const workload = this.policy.workload(origin.workload);
    const family: Family = `IPv${known.family}`;
    const caller = { workload, address: ownAddress(workload, family) ?? from.address, port: from.port };
    const counters = this.counters.edge(origin.workload, origin.service);
    const connection = { socket, network, origin, family, counters, held, service, caller };
    if (goesOn) return this.speakers.http1(connection);
    const { applicationProtocol } = service.port;
    const told = (spoken: Spoken): void => this.hand(connection, spoken);
    if (applicationProtocol === ApplicationProtocol.UNSPECIFIED) this.opening.readEither(socket, told);
    else if (callerBegins.has(applicationProtocol)) this.opening.read(socket, told);
    else this.speakers.bytes(connection, false);
  }

  private hand(connection: CallerConnection, spoken: Spoken): void {
    const answersRequests = connection.service.port.routes.length > 0;
    if (spoken === "http1" && answersRequests) this.speakers.http1(connection);
    else if (spoken === "http2" && answersRequests) this.speakers.http2(connection);
    else this.speakers.bytes(connection, spoken === "tls");
  }

  private refuse(socket: Socket, why: keyof CounterBook["refused"]): void {
    this.counters.refused[why]++;
    socket.destroy();
  }
}

/** Connections come from the loopback address: what a caller's own is, the control plane says. */
function ownAddress(workload: Workload | undefined, family: Family): string | undefined {
  const own = workload?.addresses.find((address) => familyOf(address) === family);
  return own && formatAddress(own);
}
