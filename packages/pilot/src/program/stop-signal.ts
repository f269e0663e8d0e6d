/**
 * Ends the process in order when it is told to stop, or its terminal is closed; told twice, it ends at once.
 * @param stop returns what the process ends with
 * @param failed what it ends with if `stop` fails
 */
export function onStopSignal(stop: (signal: NodeJS.Signals) => Promise<number>, failed: number): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      stop(signal).then(
        (exitCode) => process.exit(exitCode),
        (error: Error) => {
          process.stderr.write(`pilot-discovery: ${error.message}\n`);
          process.exit(failed);
        },
      );
    });
  }
}
