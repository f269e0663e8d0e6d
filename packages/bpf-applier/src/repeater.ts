/** Runs an action again and again, never twice at once. */
export class Repeater {
  private readonly everyMs: number;
  private readonly action: () => Promise<unknown>;
  private readonly onError: (error: Error) => void;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = true;

  constructor(everyMs: number, action: () => Promise<unknown>, onError: (error: Error) => void) {
    this.everyMs = everyMs;
    this.action = action;
    this.onError = onError;
  }

  start(): void {
    this.stopped = false;
    this.schedule();
  }

  /** Resolves when the action is not running any more. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private schedule(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.action()
        .then(() => undefined, this.onError)
        .then(() => this.schedule());
    }, this.everyMs);
  }
}
