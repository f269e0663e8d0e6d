import { test } from "vitest";
import type { PeerName } from "./install/recipes.ts";
import { missingPeers } from "./peer-cache.ts";

/** A test that needs peers; skipped where they are not set up, with the command that does it as the reason. */
export function peerTest(
  peers: readonly PeerName[],
  title: string,
  body: () => Promise<void> | void,
  timeoutMs = 120_000,
): void {
  test(
    title,
    async (context) => {
      const reason = await missingPeers(...peers);
      context.skip(reason !== undefined, reason);
      await body();
    },
    timeoutMs,
  );
}
