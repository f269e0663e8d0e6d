import type { SourceHealth } from "@keelson/sources";
import type { Logger } from "pino";

/**
 * Says what a source cannot do, once when it has been so for two looks in a row, and once when it is over: a connection
 * that is cut and comes back is nothing to be told.
 */
export class HealthLog {
  private readonly logger: Logger;
  private before: Readonly<Record<string, string>> = {};
  private readonly said = new Map<string, string>();

  constructor(logger: Logger) {
    this.logger = logger;
  }

  look({ waiting, failing }: SourceHealth): void {
    const now = { ...waiting, ...failing };
    for (const [part, why] of Object.entries(now)) {
      if (!Object.hasOwn(this.before, part) || this.said.has(part)) continue;
      this.said.set(part, why);
      this.logger.warn(
        `${part}: ${why}; ${part in waiting ? "it is waited for" : "what was read of it stays"}`,
      );
    }
    for (const part of this.said.keys()) {
      if (Object.hasOwn(now, part)) continue;
      this.said.delete(part);
      this.logger.info(`${part}: is followed`);
    }
    this.before = now;
  }
}
