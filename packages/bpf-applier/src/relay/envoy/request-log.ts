import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { parseAddress } from "@keelson/model/address";
import type { CounterBook } from "../process/counter-book.ts";
import type { RequestTap } from "../process/request-tap.ts";

interface CallerAndService {
  readonly service: bigint;
  readonly workload: bigint;
}

/** Envoy's word for what there is not. */
const none = "-";
const mostNames = 10_000;

/** Counts the requests that an Envoy logs, a line each, as `relay-manager.ts` of `@keelson/xds` says. */
export class RequestLog {
  /** Since the start. */
  requests = 0;
  private readonly book: CounterBook;
  private readonly tap: RequestTap;
  private readonly names = new Map<string, CallerAndService | undefined>();

  constructor(lines: Readable, book: CounterBook, tap: RequestTap) {
    this.book = book;
    this.tap = tap;
    createInterface({ input: lines }).on("line", (line) => this.count(line));
  }

  private count(line: string): void {
    const [name = "", status = "", microseconds = "", sent = "", received = "", endpoint = "", ...request] =
      line.split("\t");
    const [method = "", path = "", route = ""] = request;
    const whose = this.whose(name);
    const code = Number(status);
    // Without a status nothing was answered: the caller went.
    if (whose === undefined || !(code >= 100)) return;
    this.requests++;
    const ended = {
      endpoint: endpoint === none ? "" : endpoint,
      route: route === none ? "" : route,
      status: code,
      microseconds: Number(microseconds) || 0,
      bytesSent: Number(sent) || 0,
      bytesReceived: Number(received) || 0,
    };
    this.book.edge(whose.workload, whose.service).count(ended);
    this.tap.see(() => ({ ...ended, ...whose, endedAt: Date.now(), method, path }));
  }

  private whose(name: string): CallerAndService | undefined {
    const known = this.names.get(name);
    if (known !== undefined) return known;
    const bytes = parseAddress(name);
    if (bytes?.length !== 16) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const whose = { service: view.getBigUint64(0, true), workload: view.getBigUint64(8, true) };
    if (this.names.size >= mostNames) this.names.clear();
    this.names.set(name, whose);
    return whose;
  }
}
