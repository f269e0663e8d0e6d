import { kinds, type Origin, parseObject } from "@keelson/model";
import { z } from "zod";
import type { Admission, AdmissionRequest } from "./admission-review.ts";

/** By this annotation istiod, and we, see whether the API server reaches a webhook: such an object is always refused. */
export const alwaysReject = "internal.istio.io/webhook-always-reject";

/** Kubernetes shows a warning of 256 characters in full, and 4,096 in all. */
const longestWarning = 256;
const mostWarnings = 10;

const origin: Origin = { locate: () => ({ file: "kubernetes" }) };

const objectSchema = z.looseObject({
  metadata: z.looseObject({
    name: z.string().optional(),
    generateName: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
});

/**
 * Whether an object may be made or changed so: not if the control plane would leave it out, by the very checks with which
 * it reads it. Of a kind that it does not read it says so.
 */
export function validate(request: AdmissionRequest): Admission {
  const { operation, kind: named, object } = request;
  if (operation !== "CREATE" && operation !== "UPDATE") return { allowed: true, warnings: [] };
  const { data: parsed } = objectSchema.safeParse(object);
  if (parsed === undefined) return refusal(["the object has no metadata that can be read"]);
  const { metadata, ...body } = parsed;
  if (metadata.annotations?.[alwaysReject] !== undefined)
    return refusal([`it has the annotation ${alwaysReject}`]);
  const known = kinds.find(({ kind, group }) => kind === named.kind && group === named.group);
  if (known === undefined) {
    return {
      allowed: true,
      warnings: [`${named.kind} is not read by this control plane, and has no effect`],
    };
  }
  // All versions of a kind say the same, also those that come later.
  const [version = ""] = known.versions;
  const apiVersion = known.group === "" ? version : `${known.group}/${version}`;
  const { problems } = parseObject(
    { ...body, apiVersion, kind: known.kind, metadata: metadataOf(request, metadata) },
    origin,
  );
  const texts = (severity: string): string[] =>
    problems
      .filter((problem) => problem.severity === severity)
      .map(({ field, message }) => (field === "" ? message : `${field}: ${message}`));
  const errors = texts("error");
  return errors.length > 0 ? refusal(errors) : { allowed: true, warnings: shortened(texts("warning")) };
}

const refusal = (reasons: readonly string[]): Admission => ({
  allowed: false,
  message: `configuration is invalid: ${reasons.join("; ")}`,
  warnings: [],
});

/** An object that is yet to get its name has the beginning of one. */
function metadataOf(
  { name, namespace }: AdmissionRequest,
  { name: given, generateName = "", labels, annotations }: z.output<typeof objectSchema>["metadata"],
): object {
  const own = given ?? (name === "" ? `${generateName}0` : name);
  return { name: own, ...(namespace !== "" && { namespace }), labels, annotations };
}

const shortened = (warnings: readonly string[]): string[] =>
  warnings
    .slice(0, mostWarnings)
    .map((text) => (text.length > longestWarning ? `${text.slice(0, longestWarning - 3)}...` : text));
