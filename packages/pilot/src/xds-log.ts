import { Repeats, type XdsEvent } from "@keelson/xds";
import type { LimitedLog } from "./logging/limited-log.ts";
import { NodePresence } from "./node-presence.ts";

/** Logs what happens on streams; what is the rule stands at the level debug. */
export class XdsLog {
  private readonly logger: LimitedLog;
  /** Nodes ask again for what they reject. */
  private readonly nacks = new Repeats();
  private readonly presence: NodePresence;

  constructor(logger: LimitedLog) {
    this.logger = logger;
    this.presence = new NodePresence(logger);
  }

  take(event: XdsEvent): void {
    const { logger } = this;
    const { kind, ...fields } = event;
    switch (kind) {
      case "connected":
      case "disconnected":
        this.presence[kind]({ node: event.node, peer: event.peer });
        break;
      case "refused":
        logger.warn(fields, "stream refused");
        break;
      case "push":
        this.debug(fields, "pushed");
        break;
      case "brought":
        this.debug(fields, "brought to the newest version");
        break;
      case "ack":
        this.takeAck(event);
        this.debug(fields, "acked");
        break;
      case "nack":
        this.takeNack(event);
        break;
    }
  }

  private takeAck({ node, typeUrl, version, stillRejects }: XdsEvent & { kind: "ack" }): void {
    if (stillRejects !== undefined) return;
    this.presence.takes(node, typeUrl);
    if (!this.nacks.end(thingOf({ node, typeUrl }))) return;
    this.logger.info({ node, typeUrl, version }, "a node takes what it rejected");
  }

  private takeNack({ kind: _, ...fields }: XdsEvent & { kind: "nack" }): void {
    this.presence.rejects(fields.node, fields.typeUrl);
    const untold = this.nacks.tell(thingOf(fields), fields.message);
    if (untold === undefined) this.debug(fields, "rejected again");
    else
      this.logger.error(
        { ...fields, ...(untold > 0 && { timesSinceTold: untold }) },
        "a node rejected a version and goes on with the one before",
      );
  }

  /** A push to a thousand proxies is three thousand of these. */
  private debug(fields: object, message: string): void {
    if (this.logger.isDebugging) this.logger.debug(fields, message);
  }
}

const thingOf = ({ node, typeUrl }: { node: string; typeUrl: string }): string => `${node} ${typeUrl}`;
