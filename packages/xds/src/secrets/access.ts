import type { Gateway } from "@keelson/protos/proxy";
import { rootsSuffix, type SecretName } from "./secret-name.ts";

/** Who asks for secrets: a workload that has shown who it is. */
export interface SecretReader {
  readonly namespace: string;
  /** Credentials named by Gateways that the reader serves. */
  readonly gatewayCredentials: ReadonlySet<string>;
}

/** Credentials of the Gateways of the reader's own namespace; of others it serves, it may not say that they are its own. */
export const gatewayCredentials = (gateways: readonly Gateway[], namespace: string): Set<string> =>
  new Set(
    gateways
      .filter((gateway) => gateway.namespace === namespace)
      .flatMap(({ servers }) => servers)
      .flatMap(({ tls }) => (tls === undefined ? [] : [...tls.credentialNames, tls.caCredentialName]))
      .filter((name) => name.startsWith("kubernetes-gateway://")),
  );

/**
 * Why a reader may not have a secret (istio/istio, pilot/pkg/xds/sds.go).
 * - kubernetes: those of its own namespace.
 * - kubernetes-gateway: what its Gateways name, which is checked where they are read.
 * - configmap: all, since there are only roots in it, which are no secret.
 * @returns undefined if it may
 */
export function whyDenied(
  text: string,
  { scheme, namespace }: SecretName,
  reader: SecretReader,
): string | undefined {
  switch (scheme) {
    case "configmap":
      return undefined;
    case "kubernetes":
      return namespace === reader.namespace
        ? undefined
        : `Secrets of namespace ${namespace} are not for workloads of ${reader.namespace}`;
    case "kubernetes-gateway": {
      const { gatewayCredentials: named } = reader;
      const certificate = text.endsWith(rootsSuffix) ? text.slice(0, -rootsSuffix.length) : text;
      return named.has(text) || named.has(certificate)
        ? undefined
        : `no Gateway of namespace ${reader.namespace} that it serves names it`;
    }
  }
}
