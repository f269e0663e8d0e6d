/** Traffic policies of DestinationRules, by the service that has one. */
export const policies = {
  hashed: { loadBalancer: { consistentHash: { httpHeaderName: "x-user" } } },
  narrow: { connectionPool: { tcp: { maxConnections: 1 }, http: { http1MaxPendingRequests: 1 } } },
  // Whoever fails once is left alone for longer than any test takes.
  careful: {
    outlierDetection: {
      consecutive5xxErrors: 1,
      interval: "0.1s",
      baseEjectionTime: "600s",
      maxEjectionPercent: 100,
    },
  },
} as const;
