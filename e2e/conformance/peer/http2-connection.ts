import { type ClientHttp2Session, connect } from "node:http2";
import { Nonconformity } from "./nonconformity.ts";

/** A bare connection of HTTP/2 without any stream. */
export class Http2Connection implements AsyncDisposable {
  /** That came from the server. */
  pings = 0;
  private readonly session: ClientHttp2Session;
  private goaway: string | undefined;

  private constructor(session: ClientHttp2Session) {
    this.session = session;
    session.on("ping", () => (this.pings += 1));
    session.on("goaway", (code) => (this.goaway = `GOAWAY with code ${code}`));
  }

  /** @param address host:port */
  static open(address: string): Promise<Http2Connection> {
    return new Promise((resolve, reject) => {
      const session = connect(`http://${address}`);
      session.on("error", reject);
      session.once("connect", () => resolve(new Http2Connection(session)));
    });
  }

  /** @throws Nonconformity if there is no answer. */
  ping(): Promise<void> {
    const bad = (found: string): Nonconformity => new Nonconformity("an answer to a ping", found);
    return new Promise((resolve, reject) => {
      if (this.goaway !== undefined || this.session.destroyed)
        return reject(bad(this.goaway ?? "a connection that is closed"));
      this.session.once("close", () => reject(bad(this.goaway ?? "the end of the connection")));
      this.session.ping((error) => (error === null ? resolve() : reject(bad(error.message))));
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((resolve) => {
      if (this.session.destroyed) return resolve();
      this.session.once("close", resolve);
      this.session.destroy();
    });
  }
}
