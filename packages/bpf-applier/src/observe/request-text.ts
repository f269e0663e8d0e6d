import { Carrier, type ObservedRequest } from "@keelson/protos/telemetry";

interface Column {
  readonly name: string;
  /** In characters, before anything wider has come. */
  readonly width: number;
}

const column = (name: string, width = name.length): Column => ({ name, width });

const narrow: readonly Column[] = [
  column("TIME", 12),
  column("FROM", 28),
  column("TO", 36),
  column("STATUS"),
  column("TOOK", 7),
  column("ROUTE", 12),
];
const wide: readonly Column[] = [
  ...narrow,
  column("REQUEST", 24),
  column("ENDPOINT", 20),
  column("POD", 28),
  column("SENT", 6),
  column("RECEIVED"),
  column("CARRIED BY", 16),
];

const carriers: Readonly<Record<Carrier, string>> = {
  [Carrier.UNSPECIFIED]: "",
  [Carrier.RELAY]: "relay",
  [Carrier.SWITCHED]: "kernel, switched",
  [Carrier.NATIVE]: "kernel, natively",
};

/** Writes requests as rows of a table that is as wide as what has come so far. */
export class RequestTable {
  private readonly isWide: boolean;
  private readonly columns: readonly Column[];
  private readonly widths: number[];

  /** @param withNode names the node, too */
  constructor({ isWide, withNode }: { readonly isWide: boolean; readonly withNode: boolean }) {
    this.isWide = isWide;
    this.columns = [...(isWide ? wide : narrow), ...(withNode ? [column("NODE")] : [])];
    this.widths = this.columns.map(({ width }) => width);
  }

  heading(): string {
    return this.line(this.columns.map(({ name }) => name));
  }

  row(node: string, request: ObservedRequest): string {
    const cells = [...narrowCells(request), ...(this.isWide ? wideCells(request) : []), node];
    return this.line(cells.slice(0, this.columns.length).map(printable));
  }

  private line(cells: readonly string[]): string {
    cells.forEach((cell, i) => {
      this.widths[i] = Math.max(this.widths[i] ?? 0, cell.length);
    });
    return cells
      .map((cell, i) => cell.padEnd(this.widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  }
}

function narrowCells({
  seenAtUs,
  source,
  service,
  port,
  status,
  durationUs,
  route,
}: ObservedRequest): string[] {
  const wasAnswered = status !== 0;
  return [
    new Date(Number(seenAtUs / 1000n)).toISOString().slice(11, -1),
    source || "-",
    `${service}:${port}`,
    wasAnswered ? status.toString() : "-",
    wasAnswered ? duration(Number(durationUs)) : "-",
    route || "-",
  ];
}

function wideCells(request: ObservedRequest): string[] {
  const { method, path, endpoint, workload, sentBytes, receivedBytes, carrier } = request;
  return [
    method === "" ? "-" : `${method} ${path}`,
    endpoint || "-",
    workload || "-",
    sentBytes.toString(),
    receivedBytes.toString(),
    carriers[carrier],
  ];
}

function duration(microseconds: number): string {
  if (microseconds < 1_000) return `${microseconds}us`;
  if (microseconds < 1_000_000) return `${(microseconds / 1_000).toFixed(1)}ms`;
  return `${(microseconds / 1_000_000).toFixed(2)}s`;
}

/** What callers send must not do anything to a terminal. */
const printable = (text: string): string =>
  text.replace(/\p{C}/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
