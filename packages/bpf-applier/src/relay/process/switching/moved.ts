import type { Moved } from "../holding/holding.ts";
import type { SwitchingKernel } from "./kernel.ts";

/** What programs have sent on callers' connections, as far as they know of them. */
export const movedBy =
  (kernel: Pick<SwitchingKernel, "exchange"> | undefined): Moved =>
  (caller) => {
    const exchange = kernel?.exchange(caller);
    if (exchange === undefined) return 0;
    return exchange.link === 0n && exchange.isBroken === 0 ? exchange.promised : undefined;
  };
