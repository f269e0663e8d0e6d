import { BlockList, isIP } from "node:net";
import type { Authenticator, Caller, Presented } from "./authenticator.ts";
import { identityOfUri } from "./client-certificate.ts";

/** Longest header that is read, in characters. */
const headerLength = 16_384;

/**
 * Knows workloads by what a gateway says of their certificates in x-forwarded-client-cert. Gateways on this machine and
 * in the given networks are believed; that they replace what their clients send is up to them.
 */
export class ForwardedCertificateAuthenticator implements Authenticator {
  readonly name = "x-forwarded-client-cert";
  private readonly gateways = new BlockList();
  private readonly trustDomain: string;

  /**
   * @param networks such as 10.0.0.0/8 (TRUSTED_GATEWAY_CIDR)
   * @throws Error naming what is no network
   */
  constructor(networks: readonly string[], trustDomain: string) {
    this.trustDomain = trustDomain;
    for (const network of ["127.0.0.0/8", "::1/128", ...networks]) addNetwork(this.gateways, network);
  }

  async authenticate({ forwarded }: Presented): Promise<Caller | undefined> {
    if (forwarded === undefined) return undefined;
    const { address, header } = forwarded;
    const version = isIP(address);
    if (version === 0 || !this.gateways.check(address, version === 4 ? "ipv4" : "ipv6")) {
      throw new Error(`it comes from ${address}, which is in no network of TRUSTED_GATEWAY_CIDR`);
    }
    return { identity: identityOfUri(uriNames(header), this.trustDomain), source: this.name };
  }
}

function addNetwork(list: BlockList, network: string): void {
  const [address = "", bits = "", ...rest] = network.split("/");
  const version = isIP(address);
  const length = Number(bits);
  if (version === 0 || rest.length > 0 || !/^\d{1,3}$/.test(bits) || length > (version === 4 ? 32 : 128)) {
    throw new Error(`TRUSTED_GATEWAY_CIDR: "${network}" is not a network, such as 10.0.0.0/8`);
  }
  list.addSubnet(address, length, version === 4 ? "ipv4" : "ipv6");
}

/**
 * The URIs of a header with one certificate: Envoy's syntax is Key=value;Key="value", with a comma before the next
 * certificate.
 */
function uriNames(header: string): string[] {
  if (header.length > headerLength) {
    throw new Error(`it has ${header.length} characters; at most ${headerLength} are read`);
  }
  const pair = /([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;]*))(?:;|$)/gy;
  const pairs = [...header.matchAll(pair)];
  const length = pairs.reduce((total, [text]) => total + text.length, 0);
  if (length !== header.length) throw new Error("it does not tell of one certificate in Envoy's syntax");
  return pairs.flatMap(([, key = "", quoted, plain = ""]) =>
    key.toLowerCase() === "uri" ? [quoted?.replaceAll(/\\(.)/g, "$1") ?? plain] : [],
  );
}
