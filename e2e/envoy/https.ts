import { request } from "node:https";
import type { TLSSocket } from "node:tls";

export interface HttpsTarget {
  readonly address: string;
  readonly port: number;
  /** Asked for in the handshake and in the request. */
  readonly host: string;
  /** PEM of whom the server's certificate must come from. */
  readonly root: string;
  /** PEM of the client's own. */
  readonly certificate?: { readonly certificate: string; readonly key: string };
  /** OpenSSL's names of signature algorithms; decides which of several certificates is shown. */
  readonly signatures?: string;
}

export interface HttpsAnswer {
  readonly status: number;
  readonly body: string;
  /** Serial number of the server's certificate, in hexadecimal. */
  readonly serial: string;
}

/** One request on a connection of its own. @throws Error if the handshake fails, or nobody answers within 5 s. */
export function https({
  address,
  port,
  host,
  root,
  certificate,
  signatures,
}: HttpsTarget): Promise<HttpsAnswer> {
  return new Promise((resolve, reject) => {
    const call = request({
      host: address,
      port,
      servername: host,
      headers: { host },
      ca: root,
      agent: false,
      timeout: 5_000,
      ...(certificate && { cert: certificate.certificate, key: certificate.key }),
      ...(signatures !== undefined && { sigalgs: signatures }),
    });
    call.once("response", (response) => {
      // What it was received on is a TLS socket, as the request was one of HTTPS.
      const { serialNumber: serial } = (response.socket as TLSSocket).getPeerCertificate();
      let body = "";
      response.setEncoding("utf8").on("data", (piece: string) => (body += piece));
      response.once("error", reject);
      response.once("end", () => resolve({ status: response.statusCode ?? 0, body, serial }));
    });
    call.once("timeout", () => call.destroy(new Error("no answer within 5 s")));
    call.once("error", reject);
    call.end();
  });
}

/** Opens connections without a pause, with a handshake each, until it is stopped. */
export class HandshakeLoad {
  /** What went wrong, from the start. */
  readonly failures: string[] = [];
  /** How many went well, from the start. */
  count = 0;
  /** Serial number of the certificate seen last, and in how many handshakes in a row. */
  last = { serial: "", times: 0 };
  private readonly target: HttpsTarget;
  private readonly senders: Promise<void>[];
  private stopping = false;

  /** @param senders handshakes under way at once. */
  constructor(target: HttpsTarget, senders: number) {
    this.target = target;
    this.senders = Array.from({ length: senders }, () => this.send());
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.senders);
  }

  private async send(): Promise<void> {
    while (!this.stopping) {
      try {
        const { status, serial } = await https(this.target);
        if (status !== 200) throw new Error(`status ${status}`);
        this.count += 1;
        this.last = { serial, times: this.last.serial === serial ? this.last.times + 1 : 1 };
      } catch (error) {
        this.failures.push(error instanceof Error ? error.message : String(error));
      }
    }
  }
}
