const shown = 3;

/** "found a, b and 3 more": names of keys are no secret. */
export function foundKeys(keys: readonly string[]): string {
  if (keys.length === 0) return "found none";
  const more = keys.length > shown ? ` and ${keys.length - shown} more` : "";
  return `found ${keys.slice(0, shown).join(", ")}${more}`;
}
