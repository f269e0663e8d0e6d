/** Of a world in the run's own network namespace, where the control plane runs as in its pod and main.ts holds the lock. */
export const insideWorld = { grpcPort: 15_010, httpPort: 8080, isLocked: true } as const;
