import {
  type CertificateValidationContextSchema,
  SubjectAltNameMatcher_SanType as SanType,
} from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import type { SdsSecretConfig } from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import type { CommonTlsContextSchema } from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import type { Init } from "../wire.ts";

export type ValidationInit = Init<typeof CertificateValidationContextSchema>;
type ValidationContextType = NonNullable<Init<typeof CommonTlsContextSchema>["validationContextType"]>;

/** One of these names must be in the peer's certificate; none: any certificate of the roots is taken. */
export function matchNames(names: readonly string[]): ValidationInit {
  return {
    matchTypedSubjectAltNames: names.map((name) => ({
      sanType: name.includes("://") ? SanType.URI : SanType.DNS,
      matcher: { matchPattern: { case: "exact" as const, value: name } },
    })),
  };
}

/** The peer's certificate must come from these roots, and pass further checks. */
export const verifiedBy = (roots: SdsSecretConfig, checks: ValidationInit): ValidationContextType => ({
  case: "combinedValidationContext",
  value: { defaultValidationContext: checks, validationContextSdsSecretConfig: roots },
});
