import { isIPv6 } from "node:net";

export interface ListenAddress {
  /** "::" for all addresses of the machine. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/**
 * Parses what Go programs take as a listening address: ":8080", "127.0.0.1:8080", "[::1]:8080".
 * @throws Error saying what would be right.
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65535 || (match[1] !== undefined && !isIPv6(match[1]))) {
    throw new Error(
      `"${text}" is no listening address; use host:port or :port, such as 127.0.0.1:15010 or :15010`,
    );
  }
  return { host: match[1] ?? (match[2] || "::"), port };
}

/** "127.0.0.1:8080", "[::1]:8080". */
export function formatHostPort({ host, port }: ListenAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
