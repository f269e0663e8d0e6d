import { RE2JS } from "re2js";
import { z } from "zod";

/**
 * A regular expression in RE2's syntax (https://github.com/google/re2/wiki/Syntax), which Envoy and gRPC's libraries take.
 * One that they do not take costs them every route of the list that it stands in.
 */
export const regularExpression = z.string().superRefine((text, context) => {
  const fault = faultOf(text);
  if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
});

/** @returns what is wrong with an expression, undefined if nothing is */
export function faultOf(text: string): string | undefined {
  // No expression, but Istio takes it for "is there".
  if (text === "*") return undefined;
  try {
    RE2JS.compile(text);
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `is not a regular expression in RE2's syntax (look-around and back references are not in it): ${why}`;
  }
}
