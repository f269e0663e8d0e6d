import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import type { ServerCertificate, ServerTls } from "./server-certificate.ts";
import { certificates } from "./signer.ts";
import { type FileTexts, WatchedFiles, type WatchedFilesOptions } from "./watched-files.ts";

/** Paths of PEM files. */
export interface ServerCertificateFiles {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
}

/** Where Pilot's manifests mount a server certificate, below the working directory. */
const mounts: readonly ServerCertificateFiles[] = [
  "var/run/secrets/istiod/ca/root-cert.pem",
  "var/run/secrets/istiod/tls/ca.crt",
].map((ca) => ({
  certificate: "var/run/secrets/istiod/tls/tls.crt",
  key: "var/run/secrets/istiod/tls/tls.key",
  ca,
}));

/** Those that flags name (--tlsCertFile, --tlsKeyFile, --caCertFile: all three or none), else those that are mounted. */
export function serverCertificateFiles(
  flags: Partial<ServerCertificateFiles>,
  root = ".",
): ServerCertificateFiles | undefined {
  const { certificate = "", key = "", ca = "" } = flags;
  if (certificate !== "" && key !== "" && ca !== "") return { certificate, key, ca };
  return mounts
    .map((files) => ({
      certificate: join(root, files.certificate),
      key: join(root, files.key),
      ca: join(root, files.ca),
    }))
    .find((files) => Object.values(files).every((path) => existsSync(path)));
}

export interface FileServerCertificateOptions {
  readonly files: ServerCertificateFiles;
  readonly watching?: WatchedFilesOptions;
  readonly logger: Logger;
}

/** A certificate that somebody else makes and renews. */
export class FileServerCertificate implements ServerCertificate {
  private readonly files: WatchedFiles;
  private readonly listeners: (() => void)[] = [];
  private tls: ServerTls;

  private constructor(options: FileServerCertificateOptions, files: WatchedFiles, texts: FileTexts) {
    this.files = files;
    this.tls = parse(options.files, texts);
    files.follow(
      texts,
      async (changed) => {
        this.tls = parse(options.files, changed);
        for (const listener of this.listeners) listener();
        options.logger.info({ file: options.files.certificate }, "the server's certificate is replaced");
      },
      (error) =>
        options.logger.error(`${error.message}; the server goes on with the certificate that it has`),
    );
  }

  /** @throws Error naming the file that is missing or wrong */
  static async open(options: FileServerCertificateOptions): Promise<FileServerCertificate> {
    const files = new WatchedFiles(Object.values(options.files) as string[], options.watching);
    return new FileServerCertificate(options, files, await files.read());
  }

  get current(): ServerTls {
    return this.tls;
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  close(): Promise<void> {
    return this.files.close();
  }
}

function parse(files: ServerCertificateFiles, texts: FileTexts): ServerTls {
  const named = (name: string): { name: string; pem: string } => {
    const pem = texts.get(name);
    if (pem === undefined) throw new Error(`${name} does not exist`);
    return { name, pem };
  };
  const certificate = named(files.certificate);
  const key = named(files.key);
  const roots = named(files.ca);
  const [leaf] = certificates(certificate);
  if (leaf === undefined) throw new Error(`${files.certificate} has no certificate`);
  if (certificates(roots).length === 0) throw new Error(`${files.ca} has no certificate`);
  checkKey(leaf, key);
  return { certificate: certificate.pem, key: key.pem, moreRoots: roots.pem };
}

function checkKey(leaf: X509Certificate, { name, pem }: { name: string; pem: string }): void {
  let fits: boolean;
  try {
    fits = leaf.checkPrivateKey(createPrivateKey(pem));
  } catch {
    throw new Error(`${name} has no private key in PEM that is not encrypted`);
  }
  if (!fits) throw new Error(`${name} is not the key of the server's certificate`);
}
