import type { Endpoint } from "@keelson/protos/policy";
import { endpointIdentifier } from "../../../slots.ts";
import { xxhash64 } from "../../policy/xxhash64.ts";
import type { CallerConnection } from "../caller-connection.ts";
import { addressOf } from "../endpoint-address.ts";
import { valuesOf } from "../header-fields.ts";
import type { RequestTap } from "../request-tap.ts";
import { Conversation } from "./conversation.ts";
import type { SwitchingKernel } from "./kernel.ts";
import type { LeftLink } from "./left-link.ts";
import { defaultBounds, type LinkHolder, LinkPools, type PoolBounds } from "./link-pools.ts";

/** How often links and conversations are looked at, in milliseconds. */
const sweepMs = 500;
/** Of a connection to an endpoint, in milliseconds. */
const connectTimeoutMs = 10_000;

const nothing = { read: 0, written: 0 };

export interface SwitchingOptions {
  readonly bounds?: PoolBounds | undefined;
  /** Undefined: links end with this process. */
  readonly holder?: LinkHolder | undefined;
  /** Links of an earlier relay's that are of use. */
  readonly left?: Iterable<LeftLink> | undefined;
}

/** What the relay does for programs that take requests off the way to it: callers' connections, and links to endpoints. */
export class Switching {
  private readonly kernel: SwitchingKernel;
  private readonly isThere: (address: string) => boolean;
  private readonly tap: RequestTap;
  private readonly conversations = new Map<bigint, Conversation>();
  private readonly links: LinkPools;
  private readonly timer: NodeJS.Timeout;
  private sweeping = false;
  private isWithdrawn = false;
  /** Callers with a request on a link that is nobody's, at the last look. */
  private astray: ReadonlySet<bigint> = new Set();

  /** @param isThere whether an endpoint is still anyone's, by "address:port" */
  constructor(
    kernel: SwitchingKernel,
    isThere: (address: string) => boolean,
    tap: RequestTap,
    { bounds = defaultBounds, holder, left = [] }: SwitchingOptions = {},
  ) {
    this.kernel = kernel;
    this.tap = tap;
    this.isThere = isThere;
    this.links = new LinkPools(kernel, bounds, (caller) => this.conversations.get(caller), holder);
    this.links.resume(left);
    this.timer = setInterval(() => this.sweep(), sweepMs).unref();
  }

  /** @returns undefined: programs take none of its requests */
  join(connection: CallerConnection): Conversation | undefined {
    const { service, origin, socket, counters, held } = connection;
    const caller = origin.cookie;
    const { kernel, links } = this;
    // It may have been another relay's, and programs at work on it then.
    const wasTaken = held !== undefined && held.before.read > 0 && (kernel.exchange(caller)?.taken ?? 0) > 0;
    const isTaken = !this.isWithdrawn && service.switchedRules.length > 0 && caller !== 0n;
    if (!isTaken && !wasTaken) {
      if (held !== undefined && held.before.read > 0) kernel.leave(caller);
      return undefined;
    }
    try {
      const before = held?.before ?? nothing;
      const source = xxhash64(connection.caller.address);
      const conversation = new Conversation({ kernel, caller, source, socket, links, before });
      const onCarried: Conversation["onCarried"] = (carried) => {
        const ended = { ...carried, route: connection.service.routeNames.of(carried.route) };
        counters.count(ended);
        this.tap.see(() => ({
          ...ended,
          endedAt: Date.now(),
          workload: origin.workload,
          service: origin.service,
          method: "", // programs have taken the request
          path: "",
        }));
      };
      conversation.onCarried = onCarried;
      this.conversations.set(caller, conversation);
      socket.once("close", () => this.conversations.delete(caller));
      if (this.isWithdrawn) conversation.withdraw();
      if (wasTaken) links.claim(kernel.exchange(caller)?.link ?? 0n);
      return conversation;
    } catch {
      // What programs have under way cannot be waited for.
      if (wasTaken) socket.destroy();
      return undefined; // no room, or a caller that sends no more already
    }
  }

  /** The relay has an answer to a request that programs would have taken, had there been a link. */
  served({ network, origin }: CallerConnection, endpoint: Endpoint, rawHeaders: readonly string[]): void {
    const { address, port, text } = addressOf(endpoint);
    const pool = {
      network: network.cookie,
      workload: origin.workload,
      endpoint: endpointIdentifier(endpoint),
    };
    const open = (): Promise<number> => network.open(address, port, connectTimeoutMs);
    this.links.want({ pool, address: text, open, keepAlive: keepAliveOf(rawHeaders) }).catch(() => undefined);
  }

  /** Ends the links of a network namespace. */
  removeNetwork(cookie: bigint): void {
    this.links.close(cookie).catch(() => undefined);
  }

  /** Programs take nothing more of any connection once this resolves; what they have under way goes on. */
  async withdraw(): Promise<void> {
    this.isWithdrawn = true;
    for (const conversation of this.conversations.values()) conversation.withdraw();
    await this.kernel.runningProgramsEnd();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.links.close();
    await this.kernel.close();
  }

  private sweep(): void {
    if (this.sweeping) return;
    this.sweeping = true;
    this.look()
      .catch(() => undefined)
      .finally(() => {
        this.sweeping = false;
      });
  }

  private async look(): Promise<void> {
    await this.links.sweep(this.isThere);
    if (this.conversations.size === 0) return;
    const astray = new Set<bigint>();
    for (const [caller, { link, isBroken }] of await this.kernel.exchanges()) {
      const conversation = this.conversations.get(caller);
      if (conversation === undefined) continue;
      const isLost = link !== 0n && !this.links.has(link);
      // A link may have ended just now, and who had it not yet been told.
      if (isBroken === 1 || (isLost && this.astray.has(caller))) conversation.end();
      else if (isLost) astray.add(caller);
    }
    this.astray = astray;
  }
}

/** The parameter `timeout` of Keep-Alive, in seconds (RFC 2068 19.7.1.1). */
function keepAliveOf(rawHeaders: readonly string[]): number | undefined {
  for (const value of valuesOf(rawHeaders, "keep-alive")) {
    const [, seconds] = /(?:^|[,; ])timeout=(\d{1,6})/i.exec(value) ?? [];
    if (seconds !== undefined) return Number(seconds);
  }
  return undefined;
}
