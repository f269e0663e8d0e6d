import type { Echo } from "./echo.ts";
import { meaning } from "./headers.ts";

/** What a question comes to, as texts that can be compared. */
export interface Seen {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
  /** What an endpoint got; empty: none got anything. */
  readonly echo: string;
  /** Which endpoint it was; empty: it may be any. */
  readonly address: string;
  /** What the endpoint got that mirrors go to. */
  readonly mirrored: string;
}

/** What an endpoint got. */
export const echoText = ({ method, target, rawHeaders, content }: Omit<Echo, "address">): string =>
  `${method} ${target}\n${meaning(rawHeaders)}\n\n${content}`;

/** In which words one refuses what it cannot read is its own matter. */
export const isSame = (relay: Seen, envoy: Seen): boolean =>
  (relay.status === 400 && envoy.status === 400) || differences(relay, envoy).length === 0;

export const differences = (relay: Seen, envoy: Seen): (keyof Seen)[] =>
  (Object.keys(envoy) as (keyof Seen)[]).filter(
    (key) => relay[key] !== envoy[key] && !(key === "address" && relay.address === ""),
  );
