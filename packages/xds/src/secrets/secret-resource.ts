import { create } from "@bufbuild/protobuf";
import { SecretSchema } from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import type { Certificate, Roots } from "@keelson/model";
import type { Resource } from "@keelson/protos";
import { type Init, resourceOf } from "../envoy/wire.ts";

type SecretType = NonNullable<Init<typeof SecretSchema>["type"]>;

/** Content → the name that it is asked for by → resource. */
const made = new WeakMap<object, Map<string, Resource>>();

export const certificateResource = (name: string, certificate: Certificate): Resource =>
  once(certificate, name, () => ({
    case: "tlsCertificate",
    value: {
      certificateChain: inline(certificate.chain),
      privateKey: inline(certificate.privateKey),
      ...(certificate.ocspStaple.length > 0 && { ocspStaple: inline(certificate.ocspStaple) }),
    },
  }));

export const rootsResource = (name: string, roots: Roots): Resource =>
  once(roots, name, () => ({
    case: "validationContext",
    value: {
      trustedCa: inline(roots.certificates),
      ...(roots.revoked.length > 0 && { crl: inline(roots.revoked) }),
    },
  }));

function once(content: object, name: string, type: () => SecretType): Resource {
  const byName = made.get(content) ?? new Map<string, Resource>();
  made.set(content, byName);
  const resource =
    byName.get(name) ?? resourceOf(SecretSchema, name, create(SecretSchema, { name, type: type() }));
  byName.set(name, resource);
  return resource;
}

const inline = (value: Uint8Array) => ({ specifier: { case: "inlineBytes" as const, value } });
