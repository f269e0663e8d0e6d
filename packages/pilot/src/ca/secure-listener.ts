import { once } from "node:events";
import type { Server as NetServer } from "node:net";
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from "node:tls";
import * as grpc from "@grpc/grpc-js";
import type { ListenAddress } from "../listen-address.ts";
import type { CertificateAuthority } from "./certificate-authority.ts";
import type { ServerCertificate } from "./server-certificate.ts";
import { cipherList, type TlsOptions } from "./tls-options.ts";

export interface SecureListenerOptions {
  /** Serves what comes in. */
  readonly server: grpc.Server;
  readonly certificate: ServerCertificate;
  /** Client certificates may come from its roots. */
  readonly authority?: CertificateAuthority | undefined;
  readonly tls: TlsOptions;
  /** Told of what listens. */
  readonly follow: (listener: NetServer) => void;
  /** Told of client certificates that are not accepted. */
  readonly onRefused: (refused: Refused) => void;
  /** Told of handshakes that fail: probes of a port do that all the time. */
  readonly onBrokenHandshake: (refused: Refused) => void;
}

export interface Refused {
  readonly peer: string;
  readonly reason: string;
}

/**
 * Ends TLS in front of a gRPC server, whose own listener could neither change its certificate as a whole nor tell a
 * client without a certificate from one whose certificate is not accepted. A client need not have a certificate; the
 * calls of one with a bad certificate are all refused.
 */
export class SecureListener {
  private readonly options: SecureListenerOptions;
  private readonly tlsServer: Server;

  /** @throws Error if the certificate or a cipher suite cannot be used */
  constructor(options: SecureListenerOptions) {
    this.options = options;
    this.tlsServer = createServer({
      ...this.context(),
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ["h2"],
      handshakeTimeout: options.tls.handshakeMs ?? 10_000,
    });
    options.follow(this.tlsServer);
    const accepted = options.server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
    const refused = options.server.createConnectionInjector(refusingCredentials);
    this.tlsServer.on("secureConnection", (socket: TLSSocket) => {
      const reason = whyNot(socket);
      // gRPC reports what goes wrong on a connection only while it has a call.
      socket.on("error", () => undefined);
      if (reason !== undefined) options.onRefused({ peer: peerOf(socket), reason });
      (reason === undefined ? accepted : refused).injectConnection(socket);
    });
    this.tlsServer.on("tlsClientError", (error, socket) => {
      options.onBrokenHandshake({ peer: peerOf(socket), reason: error.message });
      // Node does not, when a handshake takes too long.
      socket.destroy();
    });
    const renew = (): void => this.tlsServer.setSecureContext(this.context());
    options.certificate.onChange(renew);
    options.authority?.onReplace(renew);
  }

  /** @returns the port that is listened on. @throws Error of Node's */
  async listen({ host, port }: ListenAddress): Promise<number> {
    this.tlsServer.listen({ host, port });
    await once(this.tlsServer, "listening");
    const bound = this.tlsServer.address();
    return typeof bound === "object" && bound !== null ? bound.port : port;
  }

  /** Takes no more connections; the gRPC server ends those that there are. */
  close(): void {
    this.tlsServer.close();
  }

  private context(): SecureContextOptions {
    const { certificate, authority, tls } = this.options;
    const { certificate: cert, key, moreRoots } = certificate.current;
    const ca = [moreRoots, authority?.signer.roots ?? ""].filter((roots) => roots !== "");
    const ciphers = cipherList(tls.cipherSuites);
    return { cert, key, ca, minVersion: tls.minVersion, ...(ciphers === "" ? {} : { ciphers }) };
  }
}

function whyNot(socket: TLSSocket): string | undefined {
  if (socket.authorized || socket.getPeerX509Certificate() === undefined) return undefined;
  return String(socket.authorizationError);
}

const peerOf = (socket: TLSSocket): string => `${socket.remoteAddress ?? "?"}:${socket.remotePort ?? "?"}`;

/** A connection that is closed for a bad certificate tells its client nothing; this one says why. */
const refusingCredentials = grpc.experimental.createServerCredentialsWithInterceptors(
  grpc.ServerCredentials.createInsecure(),
  [
    (_, call) =>
      new grpc.ServerInterceptingCall(call, {
        start: () =>
          call.sendStatus({
            code: grpc.status.UNAUTHENTICATED,
            details:
              "the client certificate is not accepted: it has ended, is not from a root of this mesh, or is not for clients",
          }),
      }),
  ],
);
