import { readFile } from "node:fs/promises";
import type { experimental } from "@grpc/grpc-js";

type Listener = experimental.CaCertificateUpdateListener;

/** The file is read again after this time: a new root is there long before the old one ends. */
const rereadMs = 10_000;

/** Roots that gRPC believes, read from a file that may be replaced. What was read last stays while it cannot be read. */
export class CaFile implements experimental.CertificateProvider {
  private readonly path: string;
  private readonly onError: (error: Error) => void;
  private readonly listeners = new Set<Listener>();
  private known: Buffer | undefined;
  private failure: string | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** @param onError told why the file cannot be read, once for each reason */
  constructor(path: string, onError: (error: Error) => void) {
    this.path = path;
    this.onError = onError;
  }

  addCaCertificateListener(listener: Listener): void {
    this.listeners.add(listener);
    if (this.known !== undefined) listener({ caCertificate: this.known });
    this.timer ??= setInterval(() => void this.read(), rereadMs).unref();
    void this.read();
  }

  removeCaCertificateListener(listener: Listener): void {
    this.listeners.delete(listener);
    if (this.listeners.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  addIdentityCertificateListener(): void {
    throw new Error(`${this.path} holds roots, not a certificate of our own`);
  }

  removeIdentityCertificateListener(): void {}

  private async read(): Promise<void> {
    try {
      this.known = await readFile(this.path);
      this.failure = undefined;
      this.tell({ caCertificate: this.known });
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.failure) this.onError(error as Error);
      this.failure = message;
      // For gRPC: there are none, so connections fail at once.
      if (this.known === undefined) this.tell(null);
    }
  }

  private tell(update: Parameters<Listener>[0]): void {
    for (const listener of this.listeners) listener(update);
  }
}
