import { type Problem, problemOf } from "../config-object.ts";
import { certificateIn } from "../credentials/certificate.ts";
import type { SecretObject } from "./index.ts";

const tlsType = "kubernetes.io/tls";

/** Whether a proxy could use the certificate, if the Secret has one. An error keeps what the same file said before. */
export function checkSecret(object: SecretObject): Problem[] {
  const { type, values } = object.body;
  const isPair = (values.cert && values.key) ?? (values["tls.crt"] && values["tls.key"]);
  if (type !== tlsType && isPair === undefined) return [];
  const found = certificateIn(object.body);
  if (!("why" in found)) return [];
  // Under other types these keys may be anything.
  const severity = type === tlsType ? "error" : "warning";
  return [problemOf(severity, object, ["data"], `cannot be served as a certificate: ${found.why}`)];
}
