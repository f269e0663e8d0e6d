/** Names of gRPC's statuses by number (https://github.com/grpc/grpc/blob/master/doc/statuscodes.md). */
export const grpcStatusNames = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

/** @returns undefined for a name that gRPC does not know; case is not minded */
export function grpcStatusOf(name: string): number | undefined {
  const wanted = name.toUpperCase();
  const number = grpcStatusNames.findIndex((known) => known === wanted);
  return number === -1 ? undefined : number;
}
