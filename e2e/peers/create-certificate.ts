import { create } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { grpcMethod } from "@keelson/protos";
import { IstioCertificateRequestSchema, IstioCertificateService } from "@keelson/protos/certificate-service";

export interface CertificateCall {
  /** HOST:PORT of the control plane's TLS port. */
  readonly address: string;
  /** A name that the control plane's certificate has. */
  readonly name: string;
  /** PEM of the roots that the control plane's certificate must come from. */
  readonly root: string;
  readonly token: string;
  /** PEM. */
  readonly csr: string;
}

const { path, requestSerialize, responseDeserialize } = grpcMethod(
  IstioCertificateService.method.createCertificate,
);

/**
 * Asks a control plane's CA for a certificate, as an agent does.
 * @returns PEM of the certificate, of those between it and the root, and of the roots
 * @throws grpc.ServiceError if it is refused.
 */
export async function createCertificate(call: CertificateCall): Promise<readonly string[]> {
  const { address, name, root, token, csr } = call;
  const client = new grpc.Client(address, grpc.credentials.createSsl(Buffer.from(root)), {
    "grpc.ssl_target_name_override": name,
  });
  const metadata = new grpc.Metadata();
  metadata.set("authorization", `Bearer ${token}`);
  try {
    return await new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        create(IstioCertificateRequestSchema, { csr }),
        metadata,
        (error, response) => {
          if (response === undefined) reject(error ?? new Error("there was no answer"));
          else resolve(response.certChain);
        },
      );
    });
  } finally {
    client.close();
  }
}
