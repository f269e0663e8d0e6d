import { Repeats } from "@keelson/xds";
import type { Logger } from "pino";

/** Logs what this node does not take of the policy; what is rejected is asked for again each half minute, and told again each hour. */
export class RejectionLog {
  private readonly logger: Logger;
  private readonly repeats = new Repeats();

  constructor(logger: Logger) {
    this.logger = logger;
  }

  /**
   * @param reason all that is rejected of the type, not only of this update
   * @param part what was taken of the update beside that; undefined: nothing
   */
  rejected(
    update: { readonly type: string; readonly version: string },
    reason: string,
    part?: { readonly rejected: number; readonly taken: number },
  ): void {
    const untold = this.repeats.tell(update.type, reason);
    const fields = { reason, ...update, ...part };
    const message = part === undefined ? "update rejected" : "update rejected in part";
    if (untold === undefined) this.logger.debug(fields, message);
    else this.logger.error({ ...fields, ...(untold > 0 && { timesSinceTold: untold }) }, message);
  }

  /** Nothing of the type is rejected any more. */
  over(type: string): void {
    if (this.repeats.end(type)) this.logger.info({ type }, "what was rejected is taken or gone");
  }
}
