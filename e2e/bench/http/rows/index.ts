import { directRow, unixRow } from "./direct.ts";
import { keelsonRows } from "./keelson.ts";
import { proxyRows } from "./proxies.ts";
import type { Row } from "./row.ts";

/** The row whose figures the others' are divided by. */
export const baseline = directRow;

/** In the order of the tables. */
export const rows: readonly Row[] = [unixRow, directRow, ...keelsonRows, ...proxyRows];
