/** Of channels to the control plane: gRPC by itself lets up to two minutes pass before it looks for one that was away. */
export const reconnection = {
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1_000,
} as const;
