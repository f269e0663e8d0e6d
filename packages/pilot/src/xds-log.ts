import type { XdsEvent } from "@keelson/xds";
import type { LimitedLog } from "./logging/limited-log.ts";

const routine: ReadonlySet<XdsEvent["kind"]> = new Set(["push", "brought", "ack"]);

/** Logs what happens on streams; what is the rule stands at the level debug. */
export function logXdsEvent(logger: LimitedLog, event: XdsEvent): void {
  // A push to a thousand proxies is three thousand of these.
  if (routine.has(event.kind) && !logger.isDebugging) return;
  const { kind, ...fields } = event;
  switch (kind) {
    case "connected":
    case "disconnected":
      logger.info(fields, `node ${kind}`);
      break;
    case "refused":
      logger.warn(fields, "stream refused");
      break;
    case "push":
      logger.debug(fields, "pushed");
      break;
    case "brought":
      logger.debug(fields, "brought to the newest version");
      break;
    case "ack":
      logger.debug(fields, "acked");
      break;
    case "nack":
      logger.error(fields, "a node rejected a version and goes on with the one before");
      break;
  }
}
