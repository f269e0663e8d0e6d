import type { Server } from "node:net";
import type { SecureContextOptions } from "node:tls";
import type * as grpc from "@grpc/grpc-js";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Authenticator } from "../auth/authenticator.ts";
import { ClientCertificateAuthenticator } from "../auth/client-certificate.ts";
import type { NodeRules } from "../auth/node-claim.ts";
import { AuthenticatingGuard, type PeerGuard } from "../auth/peer-guard.ts";
import type { ListenAddress } from "../listen-address.ts";
import { type LimitedLog, limitedLog } from "../logging/limited-log.ts";
import { CaMetrics } from "./ca-metrics.ts";
import type { CertificateAuthority } from "./certificate-authority.ts";
import { registerCertificateService } from "./certificate-service.ts";
import { FileServerCertificate, type ServerCertificateFiles } from "./file-server-certificate.ts";
import { IssuedServerCertificate } from "./issued-server-certificate.ts";
import { type AuthorityOptions, type OpenAuthority, openAuthority } from "./open-authority.ts";
import { SecureListener } from "./secure-listener.ts";
import type { ServerCertificate } from "./server-certificate.ts";
import { cipherList, type TlsOptions } from "./tls-options.ts";

export interface SecureServingOptions {
  readonly trustDomain: string;
  /** Left out: no CA, so workloads get their certificates elsewhere (ENABLE_CA_SERVER false). */
  readonly authority?: Omit<AuthorityOptions, "logger">;
  /** The server's certificate; left out: the CA makes it. */
  readonly certificateFiles?: ServerCertificateFiles;
  /** DNS names of the certificate that the CA makes. */
  readonly names: readonly string[];
  /** Of that certificate, in ms. */
  readonly certificateLifetimeMs: number;
  readonly tls: TlsOptions;
  /** Ways to tell a caller beside its client certificate, in their order. */
  readonly authenticators: readonly Authenticator[];
  readonly nodeRules: NodeRules;
  readonly registry: Registry;
  readonly logger: Logger;
}

/** What the port with TLS needs: a CA, a certificate that is renewed, and a guard that knows callers. */
export class SecureServing {
  /** For the services of the port. */
  readonly guard: PeerGuard;
  /** The ways to tell a caller that are no client certificate. */
  readonly authenticators: readonly Authenticator[];
  private readonly options: SecureServingOptions;
  private readonly opened: OpenAuthority | undefined;
  private readonly certificate: ServerCertificate;
  private readonly metrics: CaMetrics;
  /** For what callers do. */
  private readonly callerLog: LimitedLog;
  private readonly listeners: SecureListener[] = [];

  private constructor(
    options: SecureServingOptions,
    opened: OpenAuthority | undefined,
    certificate: ServerCertificate,
  ) {
    const { trustDomain, authenticators, nodeRules, registry, logger } = options;
    this.authenticators = authenticators;
    this.options = options;
    this.opened = opened;
    this.certificate = certificate;
    this.metrics = new CaMetrics(registry);
    this.callerLog = limitedLog(logger);
    if (opened !== undefined) this.metrics.watch(opened.authority);
    this.guard = new AuthenticatingGuard(
      [new ClientCertificateAuthenticator(trustDomain), ...authenticators],
      nodeRules,
      (failure) => this.callerLog.warn(failure, "caller not authenticated"),
    );
  }

  /** @throws Error saying what is wrong with the CA's root or the server's certificate */
  static async open(options: SecureServingOptions): Promise<SecureServing> {
    const { authority, logger } = options;
    const opened = authority === undefined ? undefined : await openAuthority({ ...authority, logger });
    try {
      return new SecureServing(options, opened, await openCertificate(options, opened?.authority));
    } catch (error) {
      await opened?.close();
      throw error;
    }
  }

  /** Undefined if workloads get their certificates elsewhere. */
  get authority(): CertificateAuthority | undefined {
    return this.opened?.authority;
  }

  /** Adds CreateCertificate, if there is a CA. */
  register(server: grpc.Server): void {
    const { guard, metrics, authority, callerLog: logger } = this;
    if (authority !== undefined) registerCertificateService(server, { authority, guard, metrics, logger });
  }

  /**
   * @param follow told of what listens
   * @returns how a gRPC server listens with TLS: takes an address, gives the port; may be tried again
   * @throws Error if the certificate or a cipher suite cannot be used
   */
  listener(
    server: grpc.Server,
    follow: (listener: Server) => void = () => undefined,
  ): (address: ListenAddress) => Promise<number> {
    const { callerLog: logger } = this;
    const listener = new SecureListener({
      server,
      certificate: this.certificate,
      authority: this.authority,
      tls: this.options.tls,
      follow,
      onRefused: (refused) => logger.warn(refused, "client certificate not accepted"),
      onBrokenHandshake: (refused) => logger.debug(refused, "TLS handshake failed"),
    });
    this.listeners.push(listener);
    return (address) => listener.listen(address);
  }

  /** What a server of Node's that speaks TLS needs; `onChange` tells when it must be given again. */
  get secureContext(): SecureContextOptions {
    const { certificate, key } = this.certificate.current;
    const { minVersion, cipherSuites } = this.options.tls;
    const ciphers = cipherList(cipherSuites);
    return { cert: certificate, key, minVersion, ...(ciphers === "" ? {} : { ciphers }) };
  }

  /** @param listener called when `secureContext` has changed */
  onChange(listener: () => void): void {
    this.certificate.onChange(listener);
  }

  /** PEM of the roots that vouch for the server's certificate, and for those of workloads. */
  get roots(): string {
    const { moreRoots } = this.certificate.current;
    return moreRoots === "" ? (this.authority?.signer.roots ?? "") : moreRoots;
  }

  /** @param listener called when `roots` may have changed */
  onRootsChange(listener: () => void): void {
    this.certificate.onChange(listener);
    this.authority?.onReplace(listener);
  }

  /** Takes no more connections and stops following files; the gRPC servers end what they serve. */
  async close(): Promise<void> {
    for (const listener of this.listeners) listener.close();
    await this.certificate.close();
    await this.opened?.close();
  }
}

function openCertificate(
  options: SecureServingOptions,
  authority: CertificateAuthority | undefined,
): Promise<ServerCertificate> {
  const { certificateFiles: files, names, certificateLifetimeMs: lifetimeMs, logger } = options;
  if (files !== undefined) return FileServerCertificate.open({ files, logger });
  if (authority !== undefined)
    return IssuedServerCertificate.create({ authority, names, lifetimeMs, logger });
  throw new Error(
    "TLS needs a certificate: give one with --tlsCertFile, --tlsKeyFile and --caCertFile, or let the CA be on",
  );
}
