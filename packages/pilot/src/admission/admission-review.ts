import { z } from "zod";

/** What Kubernetes' API server asks (admission.k8s.io, v1 and v1beta1), as far as it is read. */
export const admissionReview = z.looseObject({
  apiVersion: z.enum(["admission.k8s.io/v1", "admission.k8s.io/v1beta1"]),
  kind: z.literal("AdmissionReview"),
  request: z.looseObject({
    uid: z.string(),
    operation: z.string(),
    kind: z.looseObject({ group: z.string().default(""), version: z.string(), kind: z.string() }),
    name: z.string().default(""),
    namespace: z.string().default(""),
    object: z.unknown(),
  }),
});
export type AdmissionRequest = z.output<typeof admissionReview>["request"];

/** What it is answered. */
export interface Admission {
  readonly allowed: boolean;
  /** Why it is not allowed. */
  readonly message?: string;
  /** Shown by kubectl. */
  readonly warnings: readonly string[];
}

export function admissionAnswer(
  { apiVersion, kind, request: { uid } }: z.output<typeof admissionReview>,
  { allowed, message, warnings }: Admission,
): object {
  const status = message === undefined ? {} : { status: { code: 400, reason: "BadRequest", message } };
  return {
    apiVersion,
    kind,
    response: { uid, allowed, ...status, ...(warnings.length > 0 && { warnings }) },
  };
}
