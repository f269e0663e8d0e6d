import { create } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { grpcMethod } from "@keelson/protos";
import {
  type IstioCertificateRequest,
  type IstioCertificateResponse,
  IstioCertificateResponseSchema,
  IstioCertificateService,
} from "@keelson/protos/certificate-service";
import { AuthenticationError } from "../auth/authenticator.ts";
import { formatIdentity } from "../auth/identity.ts";
import type { PeerGuard } from "../auth/peer-guard.ts";
import type { LimitedLog } from "../logging/limited-log.ts";
import { CaError } from "./ca-error.ts";
import type { CaMetrics } from "./ca-metrics.ts";
import type { CertificateAuthority } from "./certificate-authority.ts";

const definition = { createCertificate: grpcMethod(IstioCertificateService.method.createCertificate) };

type Call = grpc.ServerUnaryCall<IstioCertificateRequest, IstioCertificateResponse>;

export interface CertificateServiceOptions {
  readonly authority: CertificateAuthority;
  readonly guard: PeerGuard;
  readonly metrics: CaMetrics;
  readonly logger: LimitedLog;
}

/** Gives workloads their certificates: IstioCertificateService.CreateCertificate. */
export function registerCertificateService(server: grpc.Server, options: CertificateServiceOptions): void {
  server.addService(definition, {
    createCertificate(call: Call, callback: grpc.sendUnaryData<IstioCertificateResponse>) {
      void answer(call, callback, options);
    },
  });
}

async function answer(
  call: Call,
  callback: grpc.sendUnaryData<IstioCertificateResponse>,
  options: CertificateServiceOptions,
): Promise<void> {
  let certChain: string[];
  try {
    certChain = await createCertificate(call, options);
  } catch (error) {
    callback(refusal(error, call, options));
    return;
  }
  callback(null, create(IstioCertificateResponseSchema, { certChain }));
}

async function createCertificate(call: Call, options: CertificateServiceOptions): Promise<string[]> {
  const { authority, guard, metrics, logger } = options;
  const { csr, validityDuration, metadata } = call.request;
  metrics.requests.inc();
  const caller = await guard.authenticate(call);
  if (caller === undefined) throw new AuthenticationError("this port asks nobody who it is");
  const impersonated = metadata?.["ImpersonatedIdentity"];
  if (typeof impersonated === "string" && impersonated !== "") {
    throw new AuthenticationError(
      `${formatIdentity(caller.identity)} may not ask for a certificate of another identity`,
    );
  }
  const spiffeId = formatIdentity(caller.identity);
  const chain = await authority.sign(csr, spiffeId, Number(validityDuration) * 1000);
  metrics.successes.inc();
  logger.debug({ peer: call.getPeer(), identity: spiffeId, source: caller.source }, "certificate signed");
  return chain;
}

function refusal(
  error: unknown,
  call: Call,
  { metrics, logger }: CertificateServiceOptions,
): Partial<grpc.StatusObject> {
  const peer = call.getPeer();
  if (error instanceof AuthenticationError) {
    metrics.authenticationFailures.inc();
    return { code: grpc.status.UNAUTHENTICATED, details: `request authenticate failure: ${error.message}` };
  }
  if (error instanceof CaError) {
    if (error.kind === "CSR_ERROR") metrics.malformedRequests.inc();
    metrics.signingFailures.inc({ error: error.kind });
    logger.warn({ peer, error: error.kind, reason: error.message }, "certificate not signed");
    return { code: error.code, details: `CSR signing error (${error.message})` };
  }
  logger.error({ peer, err: error }, "cannot sign a certificate");
  return { code: grpc.status.INTERNAL, details: "cannot sign a certificate" };
}
