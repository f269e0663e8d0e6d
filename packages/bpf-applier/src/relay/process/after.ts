import { longestTimeMs } from "../policy/longest-time.ts";

/**
 * As setTimeout, for a time that a rule or a caller says.
 * @param milliseconds of which some 24 days count
 */
export const after = (milliseconds: number, callback: () => void): NodeJS.Timeout =>
  setTimeout(callback, Math.min(milliseconds, longestTimeMs));
