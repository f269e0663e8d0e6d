import { z } from "zod";
import { notCarried } from "./not-carried.ts";

const version = z.enum(["TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"]);

/** How a gateway's server, or a sidecar's ingress listener, terminates TLS. */
export const serverTls = z.strictObject({
  httpsRedirect: z.boolean().default(false),
  mode: z
    .enum(["PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"])
    .default("PASSTHROUGH"),
  serverCertificate: z.string().optional(),
  privateKey: z.string().optional(),
  caCertificates: z.string().optional(),
  caCrl: notCarried(z.string()).optional(),
  credentialName: z.string().optional(),
  credentialNames: z.array(z.string().min(1)).default([]),
  caCertCredentialName: z.string().optional(),
  tlsCertificates: notCarried(
    z.array(
      z.strictObject({
        serverCertificate: z.string().optional(),
        privateKey: z.string().optional(),
        caCertificates: z.string().optional(),
      }),
    ),
  ).optional(),
  subjectAltNames: z.array(z.string()).default([]),
  verifyCertificateSpki: z.array(z.string()).default([]),
  verifyCertificateHash: z.array(z.string()).default([]),
  minProtocolVersion: version.optional(),
  maxProtocolVersion: version.optional(),
  cipherSuites: z.array(z.string()).default([]),
  ecdhCurves: notCarried(z.array(z.string())).optional(),
  insecureSkipVerify: z.boolean().default(false),
});
export type WrittenServerTls = z.output<typeof serverTls>;
