import { constants } from "node:os";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
export type EndSignal = (typeof signals)[number];

/**
 * Calls `listener` at the first signal that asks this process to end; further ones change nothing.
 * @param listener gets the exit code by which shells know the signal
 * @returns a function that stops listening.
 */
export function onEndSignal(listener: (signal: EndSignal, exitCode: number) => void): () => void {
  let first = true;
  const onSignal = (signal: EndSignal): void => {
    if (first) listener(signal, 128 + constants.signals[signal]);
    first = false;
  };
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
}
