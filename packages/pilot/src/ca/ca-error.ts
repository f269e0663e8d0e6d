import { status } from "@grpc/grpc-js";

/** As in the label `error` of citadel_server_csr_sign_err_count. */
export type CaErrorKind = "CA_NOT_READY" | "CSR_ERROR" | "TTL_ERROR" | "CERT_GEN_ERROR";

/** Why a certificate was not signed. */
export class CaError extends Error {
  override readonly name = "CaError";
  readonly kind: CaErrorKind;

  constructor(kind: CaErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }

  /** Of gRPC: the request is at fault, or we are. */
  get code(): status {
    return this.kind === "CSR_ERROR" || this.kind === "TTL_ERROR" ? status.INVALID_ARGUMENT : status.INTERNAL;
  }
}
