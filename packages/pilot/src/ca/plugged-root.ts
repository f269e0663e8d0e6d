import { join } from "node:path";
import { certificates, parseSigner, type Signer } from "./signer.ts";
import type { FileTexts } from "./watched-files.ts";

/** Names of the files of a root that is given to the control plane. */
interface Layout {
  readonly certificate: string;
  readonly key: string;
  readonly roots: string;
  readonly chain: readonly string[];
}

/** Of a Secret of type kubernetes.io/tls; preferred if its tls.crt is there. */
const tlsLayout: Layout = {
  certificate: "tls.crt",
  key: "tls.key",
  roots: "ca.crt",
  chain: ["tls.crt", "ca.crt"],
};

const istioLayout: Layout = {
  certificate: "ca-cert.pem",
  key: "ca-key.pem",
  roots: "root-cert.pem",
  chain: ["cert-chain.pem"],
};

/** All files of a directory that may belong to a given root. */
export const pluggedFiles = (directory: string): string[] =>
  [tlsLayout, istioLayout].flatMap((layout) => filesOf(layout).map((name) => join(directory, name)));

const filesOf = ({ certificate, key, roots, chain }: Layout): string[] => [
  ...new Set([certificate, key, roots, ...chain]),
];

/**
 * The root that was given as files: ca-cert.pem, ca-key.pem, root-cert.pem and cert-chain.pem, or tls.crt, tls.key and
 * ca.crt.
 * @returns undefined if none of the files is there
 * @throws Error if some are missing, naming them, or if they are wrong
 */
export async function pluggedSigner(directory: string, texts: FileTexts): Promise<Signer | undefined> {
  const text = (name: string): string | undefined => texts.get(join(directory, name));
  const layout = text(tlsLayout.certificate) === undefined ? istioLayout : tlsLayout;
  const missing = filesOf(layout).filter((name) => text(name) === undefined);
  if (missing.length === filesOf(layout).length) return undefined;
  if (missing.length > 0) {
    const found = filesOf(layout).filter((name) => !missing.includes(name));
    throw new Error(
      `the root in ${directory} is incomplete: ${found.join(", ")} found, ${missing.join(", ")} missing; add them, or take all away to have a root made`,
    );
  }
  const named = (name: string): { name: string; pem: string } => ({
    name: join(directory, name),
    pem: text(name) ?? "",
  });
  return parseSigner({
    certificate: named(layout.certificate),
    key: named(layout.key),
    chain: layout.chain.map(named),
    roots: named(layout.roots),
  });
}

/**
 * Why a changed set of files may not take over from the one in use; undefined if it may. Pilot replaces the signing
 * certificate, but its roots only where nodes are told of them (`multiRoot`), and then only by more or fewer of the same.
 */
export function whyNotReplace(current: Signer, next: Signer, multiRoot: boolean): string | undefined {
  if (current.roots === next.roots) return undefined;
  if (!multiRoot) return "its roots differ from those in use, and ISTIO_MULTIROOT_MESH is not set";
  const [before, after] = [fingerprints(current), fingerprints(next)];
  if (contains(before, after) || contains(after, before)) return undefined;
  return "its roots neither contain those in use nor are contained in them; add the new root first, remove the old one later";
}

const fingerprints = ({ roots }: Signer): Set<string> =>
  new Set(certificates({ name: "roots", pem: roots }).map(({ fingerprint256 }) => fingerprint256));

const contains = (whole: ReadonlySet<string>, part: ReadonlySet<string>): boolean =>
  [...part].every((fingerprint) => whole.has(fingerprint));
