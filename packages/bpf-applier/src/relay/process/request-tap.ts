import type { RelayRequest, SeenRequests } from "../relay.ts";

/** Between two looks requests wait here; a reader that comes late misses the rest. */
const mostWaiting = 4_096;

/** Single requests for who wants to see them; nobody is waited for. */
export class RequestTap {
  private readonly random: () => number;
  /** One of so many; 0: none. */
  private every = 0;
  private waiting: RelayRequest[] = [];
  private lost = 0;

  constructor(random: () => number) {
    this.random = random;
  }

  /** @param every one of so many, drawn at random; 0: none from now on, and what waits is forgotten */
  open(every: number): void {
    this.every = every;
    if (every === 0) this.take();
  }

  /** @param tell asked only if the request is to be seen */
  see(tell: () => RelayRequest): void {
    if (this.every === 0 || (this.every > 1 && this.random() * this.every >= 1)) return;
    if (this.waiting.length < mostWaiting) this.waiting.push(tell());
    else this.lost++;
  }

  /** What was seen since the last time. */
  take(): SeenRequests {
    const { waiting: requests, lost } = this;
    this.waiting = [];
    this.lost = 0;
    return { requests, lost };
  }
}
