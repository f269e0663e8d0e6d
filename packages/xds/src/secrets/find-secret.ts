import {
  type ByNamespace,
  type Credentials,
  certificateIn,
  rootsIn,
  type SecretObject,
  type Unusable,
} from "@keelson/model";
import type { Resource } from "@keelson/protos";
import { type SecretReader, whyDenied } from "./access.ts";
import { parseSecretName, rootsSuffix, type SecretName } from "./secret-name.ts";
import { certificateResource, rootsResource } from "./secret-resource.ts";

/** Why a secret is not there for who asks; never with any of its content. */
export interface Withheld {
  readonly why: string;
}

/** What a proxy gets of a secret that it asks for by name. The same object as long as the content is the same. */
export function findSecret(
  text: string,
  reader: SecretReader | undefined,
  credentials: Credentials,
): Resource | Withheld {
  if (reader === undefined)
    return { why: "nobody vouches for who asks; secrets are served on the port with TLS" };
  const name = parseSecretName(text, reader.namespace);
  if (name === undefined) {
    const known =
      "kubernetes://[NAMESPACE/]NAME, kubernetes-gateway://NAMESPACE/NAME and configmap://NAMESPACE/NAME";
    return { why: `the control plane serves ${known}` };
  }
  const why = whyDenied(text, name, reader);
  return why === undefined ? read(text, name, credentials) : { why };
}

function read(text: string, name: SecretName, { secrets, configMaps }: Credentials): Resource | Unusable {
  const stem = name.name.endsWith(rootsSuffix) ? name.name.slice(0, -rootsSuffix.length) : undefined;
  if (name.scheme === "configmap") {
    const object = objectOf(configMaps, name.namespace, stem ?? name.name);
    if (object === undefined) return missing("ConfigMap", name.namespace, stem ?? name.name);
    const roots = rootsIn(object.body);
    return "why" in roots ? roots : rootsResource(text, roots);
  }
  const own = objectOf(secrets, name.namespace, name.name);
  if (stem !== undefined) return rootsOf(text, own ?? objectOf(secrets, name.namespace, stem), name, stem);
  if (own === undefined) return missing("Secret", name.namespace, name.name);
  const certificate = certificateIn(own.body);
  return "why" in certificate ? certificate : certificateResource(text, certificate);
}

/** Roots stand in a Secret of their own, or beside the certificate. */
function rootsOf(
  text: string,
  object: SecretObject | undefined,
  { namespace }: SecretName,
  stem: string,
): Resource | Unusable {
  if (object === undefined) return missing("Secret", namespace, stem);
  const roots = rootsIn(object.body);
  return "why" in roots ? roots : rootsResource(text, roots);
}

const objectOf = <Found>(all: ByNamespace<Found>, namespace: string, name: string): Found | undefined =>
  all.get(namespace)?.get(name);

const missing = (kind: string, namespace: string, name: string): Unusable => ({
  why: `there is no ${kind} ${namespace}/${name}`,
});
