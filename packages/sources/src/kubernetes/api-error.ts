/** What Kubernetes' API server answered in place of what it was asked for. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** HTTP status, or the code of a Status object inside a watch. */
  readonly status: number;
  /** How long the server asks to be left alone, in ms; 0 if it does not say. */
  readonly retryAfterMs: number;

  constructor(status: number, message: string, retryAfterMs = 0) {
    super(message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** "message" of a Kubernetes Status object, else the beginning of what was said. */
export function statusMessage(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === "object" && parsed !== null && "message" in parsed && parsed.message !== "")
      return String(parsed.message);
  } catch {
    // A proxy's page, or a few words.
  }
  return body.trim().slice(0, 200);
}
