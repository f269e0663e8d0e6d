import { generateKeyPair, type KeyObject, X509Certificate } from "node:crypto";
import { promisify } from "node:util";
import type { Logger } from "pino";
import type { CertificateAuthority } from "./certificate-authority.ts";
import type { ServerCertificate, ServerTls } from "./server-certificate.ts";

export interface IssuedServerCertificateOptions {
  readonly authority: CertificateAuthority;
  /** DNS names. */
  readonly names: readonly string[];
  /** Of each certificate, in ms; half of it is over when the next one is made. */
  readonly lifetimeMs: number;
  readonly logger: Logger;
}

/** After a failure, and never more often than this. */
const retryMs = 60_000;
/** Longest time that Node's timers can wait. */
const longestTimerMs = 2 ** 31 - 1;

/** The control plane's certificate from its own CA, with a new P-256 key each time. */
export class IssuedServerCertificate implements ServerCertificate {
  private readonly options: IssuedServerCertificateOptions;
  private readonly listeners: (() => void)[] = [];
  private tls: ServerTls;
  private timer: NodeJS.Timeout | undefined;
  private work: Promise<void> = Promise.resolve();
  private closed = false;

  private constructor(options: IssuedServerCertificateOptions, tls: ServerTls) {
    this.options = options;
    this.tls = tls;
    options.authority.onReplace(() => this.renew());
    this.schedule();
  }

  /** @throws CaError */
  static async create(options: IssuedServerCertificateOptions): Promise<IssuedServerCertificate> {
    return new IssuedServerCertificate(options, await issue(options));
  }

  get current(): ServerTls {
    return this.tls;
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.work;
  }

  private schedule(): void {
    const { validFromDate, validToDate } = new X509Certificate(this.tls.certificate);
    const half = (validFromDate.getTime() + validToDate.getTime()) / 2;
    this.renewAfter(Math.max(half - Date.now(), 1_000));
  }

  private renewAfter(ms: number): void {
    clearTimeout(this.timer);
    if (!this.closed) this.timer = setTimeout(() => this.renew(), Math.min(ms, longestTimerMs));
  }

  private renew(): void {
    this.work = this.work.then(() => this.renewNow());
  }

  private async renewNow(): Promise<void> {
    if (this.closed) return;
    try {
      this.tls = await issue(this.options);
      for (const listener of this.listeners) listener();
      this.options.logger.info({ names: this.options.names }, "the server's certificate is renewed");
      this.schedule();
    } catch (error) {
      this.options.logger.error({ err: error }, "the server's certificate cannot be renewed");
      this.renewAfter(retryMs);
    }
  }
}

async function issue({ authority, names, lifetimeMs }: IssuedServerCertificateOptions): Promise<ServerTls> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)("ec", { namedCurve: "prime256v1" });
  const chain = await authority.signServer(toCryptoKey(publicKey), names, lifetimeMs);
  return {
    // Its last element is the roots, which clients have.
    certificate: chain.slice(0, -1).join(""),
    key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    moreRoots: "",
  };
}

const toCryptoKey = (key: KeyObject): ReturnType<KeyObject["toCryptoKey"]> =>
  key.toCryptoKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["verify"]);
