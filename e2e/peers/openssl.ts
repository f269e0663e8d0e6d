import { spawnSync } from "node:child_process";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runProgramOrThrow } from "./run-program.ts";

/** Why a test that needs it has to be skipped; undefined if it is there. */
export function missingOpenssl(): string | undefined {
  return spawnSync("openssl", ["version"]).error === undefined ? undefined : "there is no openssl here";
}

/** Needs no configuration of the machine's. */
const configuration = `
[req]
distinguished_name = nobody
[nobody]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
`;

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** OpenSSL in one folder of files, which its arguments name. */
export class Openssl {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async in(folder: string): Promise<Openssl> {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "openssl.cnf"), configuration);
    return new Openssl(folder);
  }

  /** @throws Error with what it said if it does not end with 0. */
  run(...args: readonly string[]): Promise<string> {
    return runProgramOrThrow("openssl", args, { workingFolder: this.folder });
  }

  read(name: string): Promise<string> {
    return readFile(join(this.folder, name), "utf8");
  }

  write(name: string, text: string): Promise<void> {
    return writeFile(join(this.folder, name), text);
  }

  /** Makes a key and a certificate request of the names NAME.key and NAME.csr. */
  async request(name: string): Promise<void> {
    const files = ["-keyout", `${name}.key`, "-out", `${name}.csr`];
    await this.run("req", "-config", "openssl.cnf", "-new", ...newKey, "-subj", `/O=${name}`, ...files);
  }

  /** Makes a root, and an authority below it as the files that Istio's ROOT_CA_DIR holds. */
  async authority(): Promise<void> {
    const [config, extensions] = ["openssl.cnf", ["-extensions", "authority"]];
    const made = ["-subj", "/O=root", "-days", "30", "-keyout", "root.key", "-out", "root-cert.pem"];
    await this.run("req", "-config", config, "-x509", ...newKey, ...extensions, ...made);
    await this.request("intermediate");
    const signer = ["-CA", "root-cert.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "10"];
    const signed = ["-in", "intermediate.csr", "-out", "ca-cert.pem"];
    await this.run("x509", "-req", "-extfile", config, ...extensions, ...signer, ...signed);
    await copyFile(join(this.folder, "intermediate.key"), join(this.folder, "ca-key.pem"));
    await this.write("cert-chain.pem", (await this.read("ca-cert.pem")) + (await this.read("root-cert.pem")));
  }

  /**
   * What OpenSSL says of the first certificate of a chain, once it has found the path to a root by it.
   * @throws Error if there is none, or the certificate is not good for clients and servers.
   */
  async verified(chain: string, root: string): Promise<string> {
    await this.write("chain.pem", chain);
    await this.write("trusted.pem", root);
    for (const purpose of ["sslserver", "sslclient"]) {
      const against = ["-CAfile", "trusted.pem", "-untrusted", "chain.pem", "chain.pem"];
      await this.run("verify", "-x509_strict", "-purpose", purpose, ...against);
    }
    return this.run("x509", "-in", "chain.pem", "-noout", "-text");
  }
}
