/** Milliseconds that a timer of Node's can count, some 24 days; one of more fires at once. */
const longest = 2_147_483_647;

/**
 * As setTimeout, for a time that a rule or a caller says.
 * @param milliseconds of which some 24 days count
 */
export const after = (milliseconds: number, callback: () => void): NodeJS.Timeout =>
  setTimeout(callback, Math.min(milliseconds, longest));
