import type { Metadata } from "@grpc/grpc-js";
import { AuthenticationError, type Presented } from "./authenticator.ts";

/** The part of a gRPC call that tells who is calling. */
export interface IncomingCall {
  readonly metadata: Metadata;
  getPeer(): string;
  getAuthContext(): { readonly sslPeerCertificate?: { readonly raw?: Buffer } | undefined };
}

/** Longest bearer token in characters; Kubernetes' have about 1,000. */
const tokenLength = 16_384;

const forwardedHeader = "x-forwarded-client-cert";

/** @throws AuthenticationError, if there is a token of absurd length. */
export function presentedBy(call: IncomingCall): Presented {
  const certificate = call.getAuthContext().sslPeerCertificate?.raw;
  const token = bearerToken(call.metadata);
  const [header] = call.metadata.get(forwardedHeader);
  return {
    ...(certificate === undefined ? {} : { certificate }),
    ...(token === undefined ? {} : { token }),
    ...(typeof header === "string" ? { forwarded: { address: addressOf(call.getPeer()), header } } : {}),
  };
}

/** "127.0.0.1:1234", "::1:1234" → the address. */
const addressOf = (peer: string): string => peer.slice(0, Math.max(peer.lastIndexOf(":"), 0));

function bearerToken(metadata: Metadata): string | undefined {
  for (const value of metadata.get("authorization")) {
    if (typeof value !== "string" || !/^bearer /i.test(value.slice(0, 7))) continue;
    if (value.length > tokenLength) {
      throw new AuthenticationError(
        `the bearer token has ${value.length} characters; at most ${tokenLength} are read`,
      );
    }
    return value.slice(7).trim();
  }
  return undefined;
}
