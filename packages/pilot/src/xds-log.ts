import type { XdsEvent } from "@keelson/xds";
import type { LimitedLog } from "./logging/limited-log.ts";

/** Logs what happens on streams; what is the rule stands at the level debug. */
export function logXdsEvent(logger: LimitedLog, { kind, ...fields }: XdsEvent): void {
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
