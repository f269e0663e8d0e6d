/** Of a world in the run's own network namespace, where the control plane runs as in its pod. */
export const insideWorld = { grpcPort: 15_010, httpPort: 8080 } as const;
