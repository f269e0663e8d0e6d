/** Begin of the lines by which the guest's init tells where the command's output begins and ends. */
export const markers = { start: "@@keelson-start", exit: "@@keelson-exit" } as const;

/** What the guest told by its marker lines; times are seconds since the kernel started. */
export interface GuestReport {
  uname?: string;
  bootSeconds?: number;
  exitCode?: number;
  endSeconds?: number;
}

/**
 * Cuts the marker lines out of what comes over the guest's serial port and hands on the rest as it comes.
 * Only lines with the run's token count. init writes a newline before the exit marker, because the command may
 * have left its last line open; that newline is therefore held back until more follows.
 */
export class GuestOutput {
  readonly report: GuestReport = {};
  readonly #token: string;
  readonly #onText: (text: string) => void;
  #line = "";
  #emitted = 0;
  #heldNewline = false;

  constructor(token: string, onText: (text: string) => void) {
    this.#token = token;
    this.#onText = onText;
  }

  /** Takes the next piece, cut anywhere. Nothing is handed on before the start marker and after the exit marker. */
  push(text: string): void {
    const pieces = text.split("\n");
    for (const [index, piece] of pieces.entries()) {
      this.#line += piece;
      const ended = index < pieces.length - 1;
      if (ended) this.#endLine();
      else if (!this.#mayBeMarker()) this.#emit();
    }
  }

  #mayBeMarker(): boolean {
    if (this.#emitted > 0) return false;
    return Object.values(markers).some((m) => m.startsWith(this.#line.slice(0, m.length)));
  }

  #endLine(): void {
    if (this.#mayBeMarker() && this.#readMarker()) {
      this.#heldNewline = false;
    } else {
      this.#emit();
      this.#heldNewline = true;
    }
    this.#line = "";
    this.#emitted = 0;
  }

  #emit(): void {
    const started = this.report.uname !== undefined;
    const ended = this.report.exitCode !== undefined;
    const text = (this.#heldNewline ? "\n" : "") + this.#line.slice(this.#emitted);
    this.#heldNewline = false;
    this.#emitted = this.#line.length;
    if (started && !ended && text !== "") this.#onText(text);
  }

  #readMarker(): boolean {
    const [marker, token, first = "", ...rest] = this.#line.split(" ");
    if (token !== this.#token) return false;
    if (marker === markers.start) {
      this.report.bootSeconds = Number(first);
      this.report.uname = rest.join(" ");
    } else {
      this.report.exitCode = Number(first);
      this.report.endSeconds = Number(rest[0]);
    }
    return true;
  }
}
