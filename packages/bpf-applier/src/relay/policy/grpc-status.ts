/** The header in which an answer of gRPC that has no content says how it went. */
export const grpcStatusKey = "grpc-status";

/** What means the same to who does not speak gRPC (Envoy's grpcToHttpStatus). */
const httpByGrpc: Readonly<Record<number, number>> = {
  0: 200,
  1: 499,
  3: 400,
  4: 504,
  5: 404,
  6: 409,
  7: 403,
  8: 429,
  9: 400,
  10: 409,
  11: 400,
  12: 501,
  14: 503,
  16: 401,
};

export const httpStatusOfGrpc = (status: number): number => httpByGrpc[status] ?? 500;

/** https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md, from the other side. */
const grpcByHttp: Readonly<Record<number, number>> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  429: 14,
  502: 14,
  503: 14,
  504: 14,
};
const unknown = 2;

export const grpcStatusOfHttp = (status: number): number => grpcByHttp[status] ?? unknown;
