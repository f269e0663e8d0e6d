import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../exit-codes.ts";

const clearScreen = "\u001b[H\u001b[2J\u001b[3J";

/**
 * Prints what `look` returns again and again until `signal` aborts: on a terminal in one place, else one below the other.
 * A control plane that is gone is watched for, but not one that was never there.
 * @throws UserError of the first look
 */
export async function watch(
  look: () => Promise<string>,
  intervalMs: number,
  signal: AbortSignal,
): Promise<void> {
  for (let first = true; !signal.aborted; first = false) {
    const text = await look().catch((error: unknown) => {
      if (first || !(error instanceof UserError)) throw error;
      return `${error.message}\n`;
    });
    process.stdout.write(process.stdout.isTTY ? `${clearScreen}${text}` : first ? text : `\n${text}`);
    await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
  }
}
