/** Levels as --log_output_level names them, and what pino calls them. */
const pinoLevels: Readonly<Record<string, string>> = {
  debug: "debug",
  info: "info",
  warn: "warn",
  error: "error",
  fatal: "fatal",
  none: "silent",
};

/** What a line is about; each scope has a level of its own. "ads" is xDS, as in istiod. */
const logScopes = ["default", "ads", "ca", "config", "http"] as const;
export type LogScope = (typeof logScopes)[number];

/** pino's level of every scope. */
export type LogLevels = Readonly<Record<LogScope, string>>;

export interface ParsedLogLevels {
  readonly levels: LogLevels;
  /** Scopes that are named and that this program does not have. */
  readonly unknownScopes: readonly string[];
}

/**
 * Parses "level" or "scope:level,scope:level". "all" stands for every scope; a scope that is not named has the level of
 * "default", and that has info.
 * @throws Error saying what would be right
 */
export function parseLogLevels(text: string): ParsedLogLevels {
  const named = new Map<LogScope, string>();
  const unknownScopes: string[] = [];
  for (const part of text === "" ? [] : text.split(",")) {
    const [scope = "", name = "", ...rest] = part.includes(":") ? part.split(":") : ["default", part];
    const level = Object.hasOwn(pinoLevels, name) ? pinoLevels[name] : undefined;
    if (level === undefined || rest.length > 0) {
      throw new Error(`"${part}" is no level; use ${Object.keys(pinoLevels).join(", ")}, or scope:level`);
    }
    if (scope === "all") for (const each of logScopes) named.set(each, level);
    else if (isScope(scope)) named.set(scope, level);
    else unknownScopes.push(scope);
  }
  const levelOf = (scope: LogScope): string => named.get(scope) ?? named.get("default") ?? "info";
  const levels = Object.fromEntries(logScopes.map((scope) => [scope, levelOf(scope)]));
  return { levels: levels as Record<LogScope, string>, unknownScopes };
}

const isScope = (text: string): text is LogScope => (logScopes as readonly string[]).includes(text);
