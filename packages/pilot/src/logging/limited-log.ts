import type { Logger } from "pino";

export interface LineLimit {
  /** Lines of one message that are written within the time. */
  readonly lines: number;
  /** In ms, from the first of them. */
  readonly timeMs: number;
}

const defaultLineLimit: LineLimit = { lines: 50, timeMs: 10_000 };

/** What of a logger is limited; the level debug is not, which somebody chose to see everything. */
export type LimitedLog = Readonly<
  Record<"info" | "warn" | "error" | "debug", (fields: object, message: string) => void>
> & {
  /** Whether lines of the level debug are written. */
  readonly isDebugging: boolean;
};

/**
 * A log that others can make write: of each message so many lines in a time, then one that says how many more there
 * were. Messages must be fixed texts; what differs belongs into their fields.
 */
export function limitedLog(logger: Logger, { lines, timeMs }: LineLimit = defaultLineLimit): LimitedLog {
  const counts = new Map<string, number>();
  const limited =
    (level: "info" | "warn" | "error") =>
    (fields: object, message: string): void => {
      const count = (counts.get(message) ?? 0) + 1;
      counts.set(message, count);
      if (count <= lines) logger[level](fields, message);
      if (count > 1) return;
      const tell = (): void => {
        const more = (counts.get(message) ?? 0) - lines;
        counts.delete(message);
        if (more > 0) logger[level]({ more, seconds: timeMs / 1000 }, message);
      };
      setTimeout(tell, timeMs).unref();
    };
  return {
    info: limited("info"),
    warn: limited("warn"),
    error: limited("error"),
    debug: (fields, message) => logger.debug(fields, message),
    get isDebugging() {
      return logger.isLevelEnabled("debug");
    },
  };
}
