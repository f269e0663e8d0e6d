/** What the addon tells about a failure. */
export interface BpfErrorDetails {
  errno: number;
  code: string;
  operation: string;
  object: string;
  detail: string;
  verifierLog?: string;
}

/**
 * A refusal by the kernel or by libbpf. The message reads
 * `load program connect4 of keelson.bpf.o: EACCES (13): R1 type=scalar expected=fp`.
 */
export class BpfError extends Error {
  /** Name of the errno, "ENOENT"; libbpf's own codes as "LIBBPF_FORMAT". */
  readonly code: string;
  /** Positive errno, as the kernel or libbpf gave it; libbpf's own codes start at 4000. */
  readonly errno: number;
  /** The step that failed: "load", "update", "attach". */
  readonly operation: string;
  /** What it failed on: "program connect4 of keelson.bpf.o", "map services". */
  readonly object: string;
  /** The whole log of the verifier (can be megabytes, so not enumerable), where it was the verifier that refused. */
  declare readonly verifierLog?: string;

  constructor(details: BpfErrorDetails) {
    super(
      `${details.operation} ${details.object}: ${details.code} (${String(details.errno)}): ${details.detail}`,
    );
    this.name = "BpfError";
    this.code = details.code;
    this.errno = details.errno;
    this.operation = details.operation;
    this.object = details.object;
    if (details.verifierLog !== undefined) {
      Object.defineProperty(this, "verifierLog", { value: details.verifierLog });
    }
  }
}
