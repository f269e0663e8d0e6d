import { CaError } from "./ca-error.ts";
import { parsePem } from "./pem.ts";
import { Pkcs10CertificateRequest, type PublicKey } from "./x509.ts";

/** Of a request, in characters; one with an RSA key of 4,096 bits has about 1,700. */
const largestCsr = 64 * 1024;
const labels = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];
/** Bits of an RSA modulus: weaker ones are refused by those who verify, larger ones by Go's TLS. */
const rsaBits = { least: 2048, most: 8192 };

interface KeyAlgorithm {
  readonly name: string;
  readonly modulusLength?: number;
  readonly namedCurve?: string;
}

/** What is taken of a certificate request. Its names are not. */
export interface CertificateRequest {
  readonly publicKey: PublicKey;
  readonly hasCommonName: boolean;
}

/**
 * Parses a PKCS #10 request and checks that whoever made it holds its key.
 * @throws CaError CSR_ERROR, for anything else
 */
export async function parseCsr(pem: string): Promise<CertificateRequest> {
  if (pem.length > largestCsr) {
    throw csrError(`it has ${pem.length} characters; at most ${largestCsr} are read`);
  }
  const request = decode(pem);
  await checkSignature(request);
  return { publicKey: request.publicKey, hasCommonName: commonName(request) !== "" };
}

function decode(pem: string): Pkcs10CertificateRequest {
  return attempt("it cannot be decoded", () => {
    const [block] = parsePem(pem);
    if (block === undefined) throw csrError("it has no PEM block");
    if (!labels.includes(block.label)) {
      throw csrError(`its PEM block is a ${block.label}; expected ${labels[0]}`);
    }
    const request = new Pkcs10CertificateRequest(block.der);
    checkKey(request.publicKey);
    return request;
  });
}

function checkKey({ algorithm }: PublicKey): void {
  const { name, modulusLength = 0, namedCurve } = algorithm as KeyAlgorithm;
  switch (name) {
    case "RSASSA-PKCS1-v1_5":
      if (modulusLength >= rsaBits.least && modulusLength <= rsaBits.most) return;
      throw csrError(`its RSA key has ${modulusLength} bits; expected ${rsaBits.least} to ${rsaBits.most}`);
    case "ECDSA":
      if (["P-256", "P-384", "P-521"].includes(namedCurve ?? "")) return;
      throw csrError(`its key's curve is ${namedCurve}; expected P-256, P-384 or P-521`);
    case "Ed25519":
      return;
    default:
      throw csrError(`its key is for ${name}; expected RSA, ECDSA or Ed25519`);
  }
}

async function checkSignature(request: Pkcs10CertificateRequest): Promise<void> {
  const hash = attempt("its signature's algorithm is not known", () => hashOf(request));
  if (hash !== undefined && !["SHA-256", "SHA-384", "SHA-512"].includes(hash)) {
    throw csrError(`its signature is made with ${hash}; expected SHA-256, SHA-384 or SHA-512`);
  }
  const valid = await request.verify().catch((error: Error) => {
    throw csrError(`its signature cannot be checked: ${error.message}`, { cause: error });
  });
  if (!valid) throw csrError("its signature does not fit its key");
}

const hashOf = (request: Pkcs10CertificateRequest): string | undefined =>
  (request.signatureAlgorithm as { hash?: { name: string } }).hash?.name;

const commonName = (request: Pkcs10CertificateRequest): string =>
  attempt("its subject cannot be read", () => request.subjectName.getField("CN").join(""));

function attempt<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof CaError) throw error;
    throw csrError(`${what}: ${(error as Error).message}`, { cause: error });
  }
}

const csrError = (message: string, options?: ErrorOptions): CaError =>
  new CaError("CSR_ERROR", `the certificate request is not right: ${message}`, options);
