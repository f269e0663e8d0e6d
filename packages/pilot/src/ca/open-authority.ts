import type { Logger } from "pino";
import { CertificateAuthority, type CertificateLifetimes } from "./certificate-authority.ts";
import { pluggedFiles, pluggedSigner, whyNotReplace } from "./plugged-root.ts";
import { SelfMadeRoot, type SelfMadeRootOptions } from "./self-made-root.ts";
import type { Signer } from "./signer.ts";
import { type FileTexts, WatchedFiles, type WatchedFilesOptions } from "./watched-files.ts";

export interface AuthorityOptions {
  /** A root that is given stands here; Pilot's ROOT_CA_DIR, ./etc/cacerts. */
  readonly directory: string;
  /** Its files may bring other roots (ISTIO_MULTIROOT_MESH). */
  readonly multiRoot: boolean;
  /** For the root that is made if none is given. */
  readonly selfMade: SelfMadeRootOptions;
  /** The self-made root is looked at again after this time, in ms; Pilot's CITADEL_SELF_SIGNED_ROOT_CERT_CHECK_INTERVAL, 1 h; 0: never. */
  readonly checkIntervalMs: number;
  /** Replicas wait a random part of the interval before their first look (CITADEL_ENABLE_JITTER_FOR_ROOT_CERT_ROTATOR). */
  readonly checkJitter: boolean;
  readonly lifetimes: CertificateLifetimes;
  readonly watching?: WatchedFilesOptions;
  readonly logger: Logger;
}

export interface OpenAuthority {
  readonly authority: CertificateAuthority;
  /** Stops following its root. */
  close(): Promise<void>;
}

/**
 * A CA with the root that stands in the directory, else with one that it makes; both are followed as they change.
 * @throws Error saying what is wrong with the root, which no other one may silently take the place of
 */
export async function openAuthority(options: AuthorityOptions): Promise<OpenAuthority> {
  const { directory, lifetimes, logger, selfMade } = options;
  const files = new WatchedFiles(pluggedFiles(directory), options.watching);
  const texts = await files.read();
  const plugged = await pluggedSigner(directory, texts);
  const signer = plugged ?? (await new SelfMadeRoot(selfMade).current());
  const authority = new CertificateAuthority(signer, lifetimes);
  const place = plugged === undefined ? selfMade.store.place : directory;
  logger.info({ root: place, made: plugged === undefined, ...describe(signer) }, "certificate authority");
  if (plugged === undefined) return { authority, close: followSelfMade(authority, options) };
  followFiles(authority, files, texts, options);
  return { authority, close: () => files.close() };
}

function followFiles(
  authority: CertificateAuthority,
  files: WatchedFiles,
  known: FileTexts,
  { directory, multiRoot, logger }: AuthorityOptions,
): void {
  files.follow(
    known,
    async (texts) => {
      const next = await pluggedSigner(directory, texts);
      if (next === undefined) throw new Error(`the files of the root in ${directory} are gone`);
      const reason = whyNotReplace(authority.signer, next, multiRoot);
      if (reason !== undefined) throw new Error(`the root in ${directory} is not taken: ${reason}`);
      authority.replace(next);
      logger.info({ root: directory, ...describe(next) }, "the signing certificate is replaced");
    },
    (error) => logger.error(`${error.message}; the certificate authority goes on with the root that it has`),
  );
}

/** @returns what stops it */
function followSelfMade(authority: CertificateAuthority, options: AuthorityOptions): () => Promise<void> {
  const { selfMade, checkIntervalMs, checkJitter, logger } = options;
  let timer: NodeJS.Timeout | undefined;
  let work = Promise.resolve();
  let closed = false;
  const check = async (): Promise<void> => {
    const next = await new SelfMadeRoot(selfMade).following();
    if (next.roots === authority.signer.roots) return;
    authority.replace(next);
    logger.info({ root: selfMade.store.place, ...describe(next) }, "the root certificate is another one");
  };
  const look = (): Promise<void> => {
    work = work
      .then(() => (closed ? undefined : check()))
      .catch((error: Error) => logger.error(error.message));
    return work;
  };
  const schedule = (afterMs: number): void => {
    if (closed || checkIntervalMs <= 0) return;
    timer = setTimeout(() => void look().then(() => schedule(checkIntervalMs)), afterMs);
  };
  const stopFollowing = selfMade.store.follow?.(() => void look());
  schedule(checkJitter ? checkIntervalMs * (1 + Math.random()) : checkIntervalMs);
  return async () => {
    closed = true;
    clearTimeout(timer);
    await stopFollowing?.();
    await work;
  };
}

const describe = ({ certificate }: Signer): { subject: string; notAfter: string } => ({
  subject: certificate.subject,
  notAfter: certificate.notAfter.toISOString(),
});
