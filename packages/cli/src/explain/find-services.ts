import { suggest } from "@keelson/model";
import { exitCodes, UserError } from "../exit-codes.ts";

/** "reviews", "reviews.default" and every longer part of "reviews.default.svc.cluster.local" name that service. */
export const isNamed = (hostname: string, name: string): boolean =>
  hostname === name || hostname.startsWith(`${name}.`);

/** Says that there is no such service, and which one may be meant. */
export function unknownService(name: string, hostnames: readonly string[]): UserError {
  return new UserError(`there is no service ${name}${hint(name, hostnames)}`, exitCodes.failed);
}

function hint(name: string, hostnames: readonly string[]): string {
  if (hostnames.length === 0) return ": the configuration has no services at all";
  const parts = hostnames.map((hostname) => hostname.split("."));
  const sameName = parts
    .filter(([short]) => short === name.split(".")[0])
    .map((of) => of.slice(0, 2).join("."));
  if (sameName.length > 0) return `; there is ${sameName.slice(0, 5).join(", ")}`;
  // The shortest form first: of equally near words, suggest takes the first.
  const forms = [1, 2, Number.POSITIVE_INFINITY].flatMap((length) =>
    parts.map((of) => of.slice(0, length).join(".")),
  );
  const near = suggest(name, forms);
  return near === undefined ? "" : `; did you mean ${near}?`;
}
