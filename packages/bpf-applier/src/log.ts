import { type Logger, pino } from "pino";

export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * Lines of JSON on the standard output: levels by their names, times in UTC. Of an error there is its message; where it comes from
 * in the code is told from "debug" on.
 */
export function makeLogger(level: LogLevel): Logger {
  const tellsStacks = level === "trace" || level === "debug";
  return pino({
    name: "bpf-applier",
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: tellsStacks ? pino.stdSerializers.err : messageOf },
  });
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
