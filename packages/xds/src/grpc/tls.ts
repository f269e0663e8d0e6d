import type { TransportSocketSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  type CommonTlsContextSchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { type Init, typedConfig } from "../envoy/wire.ts";

type TransportSocket = Init<typeof TransportSocketSchema>;

/** gRPC takes a TLS socket by this very name only. */
const name = "envoy.transport_sockets.tls";

/** The entry of the bootstrap's certificate_providers that Istio's agent writes. */
const instanceName = "default";
const certificate = { instanceName, certificateName: "default" };
const roots = { instanceName, certificateName: "ROOTCA" };

/**
 * Certificates come from the bootstrap's provider. It is named in the fields of today, and in those that libraries before
 * 2024 read (Istio does the same).
 */
const commonTlsContext = (names: readonly string[]): Init<typeof CommonTlsContextSchema> => ({
  tlsCertificateProviderInstance: certificate,
  tlsCertificateCertificateProviderInstance: certificate,
  validationContextType: {
    case: "combinedValidationContext",
    value: {
      defaultValidationContext: {
        caCertificateProviderInstance: roots,
        // gRPC does not read match_typed_subject_alt_names.
        matchSubjectAltNames: names.map((value) => ({ matchPattern: { case: "exact" as const, value } })),
      },
      validationContextCertificateProviderInstance: roots,
    },
  },
});

/** @param names of which the server's certificate must hold one; none: any certificate of the roots is taken. */
export const clientSocket = (names: readonly string[]): TransportSocket => ({
  name,
  configType: typedConfig(UpstreamTlsContextSchema, { commonTlsContext: commonTlsContext(names) }),
});

/** Mutual TLS. Whose certificate it is, is not looked at here: gRPC servers refuse lists of names. */
export const serverSocket: TransportSocket = {
  name,
  configType: typedConfig(DownstreamTlsContextSchema, {
    commonTlsContext: commonTlsContext([]),
    requireClientCertificate: true,
  }),
};
