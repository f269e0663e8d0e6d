/**
 * The text at a dotted path in a JSON document: "reviews.pod" of {"reviews": {"pod": "reviews-v1"}}.
 * @throws Error if there is none.
 */
export function fieldOf(document: string, path: string): string {
  let value: unknown = JSON.parse(document);
  for (const key of path.split(".")) value = (value as Record<string, unknown> | undefined)?.[key];
  if (typeof value !== "string")
    throw new Error(`an answer has no text at ${path}: ${document.slice(0, 200)}`);
  return value;
}
