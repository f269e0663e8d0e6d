import { readFile } from "node:fs/promises";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import {
  type CallCredentials,
  type ChannelCredentials,
  credentials,
  experimental,
  Metadata,
} from "@grpc/grpc-js";
import { CaFile } from "./ca-file.ts";

export interface ControlPlaneFlags {
  /** host:port */
  readonly controlPlane: string;
  readonly tls?: boolean;
  readonly caFile?: string;
  readonly tokenFile?: string;
  /** That the control plane's certificate must have; else its host. */
  readonly serverName?: string;
  readonly insecure?: boolean;
}

/**
 * How to speak with the control plane: with TLS if any flag of it is given, in clear only with a control plane on this
 * machine or where --insecure says so.
 * @param onError told why the file of roots cannot be read, while connections fail for it
 * @throws Error saying which flags are missing or contradict each other
 */
export function controlPlaneCredentials(
  flags: ControlPlaneFlags,
  onError: (error: Error) => void,
): ChannelCredentials {
  const { controlPlane, caFile, tokenFile, serverName, insecure = false } = flags;
  const tls = flags.tls === true || [caFile, tokenFile, serverName].some((value) => value !== undefined);
  if (tls && insecure) {
    throw new Error(
      "--insecure contradicts --tls, --ca-file, --token-file and --server-name: a token never goes over plain text",
    );
  }
  if (!tls) {
    if (insecure || isLoopback(controlPlane)) return credentials.createInsecure();
    throw new Error(
      `the control plane ${controlPlane} is not on this machine: use --tls with --ca-file and --token-file, or --insecure to speak with it in plain text`,
    );
  }
  const verify = serverName === undefined ? {} : { checkServerIdentity: identityCheck(serverName) };
  const channel =
    caFile === undefined
      ? credentials.createSsl(null, null, null, verify)
      : experimental.createCertificateProviderChannelCredentials(new CaFile(caFile, onError), null, verify);
  return tokenFile === undefined ? channel : channel.compose(tokenCredentials(tokenFile));
}

const identityCheck =
  (serverName: string) =>
  (_: string, certificate: PeerCertificate): Error | undefined =>
    checkServerIdentity(serverName, certificate);

/** The token is read for each stream, since Kubernetes replaces it long before it ends. */
const tokenCredentials = (path: string): CallCredentials =>
  credentials.createFromMetadataGenerator((_, callback) => void addToken(path, callback));

type AddMetadata = Parameters<Parameters<typeof credentials.createFromMetadataGenerator>[0]>[1];

async function addToken(path: string, callback: AddMetadata): Promise<void> {
  const metadata = new Metadata();
  try {
    metadata.set("authorization", `Bearer ${await readToken(path)}`);
  } catch (error) {
    callback(error as Error);
    return;
  }
  callback(null, metadata);
}

async function readToken(path: string): Promise<string> {
  const token = (await readFile(path, "utf8")).trim();
  // What a header cannot carry would be quoted in gRPC's error.
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new Error(`${path} holds no token: one line of printable characters`);
  return token;
}

/** @param target host:port, or any target that gRPC takes */
export function isLoopback(target: string): boolean {
  if (/^unix(-abstract)?:/.test(target)) return true;
  const host = /^(?:(?:dns|ipv4|ipv6):(?:\/\/[^/]*\/)?)?(\[[^\]]*\]|[^:]*)(?::\d+)?$/.exec(target)?.[1] ?? "";
  const bare = host.replace(/^\[|\]$/g, "");
  return bare === "localhost" || bare === "::1" || /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(bare);
}
