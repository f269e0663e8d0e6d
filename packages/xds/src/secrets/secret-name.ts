/** What a proxy asks for by a secret's name. */
export interface SecretName {
  readonly scheme: "kubernetes" | "kubernetes-gateway" | "configmap";
  readonly namespace: string;
  /** Of the Secret or ConfigMap as it was asked for, with "-cacert" for roots. */
  readonly name: string;
}

export const rootsSuffix = "-cacert";

/**
 * Reads kubernetes://[NAMESPACE/]NAME, kubernetes-gateway://NAMESPACE/NAME and configmap://NAMESPACE/NAME
 * (istio/istio, pilot/pkg/model/credentials).
 * @param ownNamespace of who asks: where Secrets named without a namespace are
 * @returns undefined for everything else
 */
export function parseSecretName(text: string, ownNamespace: string): SecretName | undefined {
  const [, scheme, rest = ""] = /^(kubernetes|kubernetes-gateway|configmap):\/\/(.+)$/.exec(text) ?? [];
  if (scheme === undefined) return undefined;
  const parts = rest.split("/");
  if (parts.length === 1 && scheme === "kubernetes") parts.unshift(ownNamespace);
  const [namespace = "", name = "", ...more] = parts;
  if (namespace === "" || name === "" || more.length > 0) return undefined;
  return { scheme: scheme as SecretName["scheme"], namespace, name };
}
