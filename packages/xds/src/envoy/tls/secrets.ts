import { create } from "@bufbuild/protobuf";
import {
  type SdsSecretConfig,
  SdsSecretConfigSchema,
} from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { secretsOfAgent, secretsOverAds } from "../config-source.ts";
import type { ProxyTraits } from "../traits.ts";

type HasAgent = Pick<ProxyTraits, "agent">;

/**
 * Secrets of the workload itself. pilot-agent serves them; a proxy without one asks the control plane, and talks to
 * nobody until it has them.
 */
const ofWorkload = (name: string, { agent }: HasAgent): SdsSecretConfig =>
  create(SdsSecretConfigSchema, { name, sdsConfig: agent ? secretsOfAgent : secretsOverAds });

export const workloadCertificate = (proxy: HasAgent): SdsSecretConfig => ofWorkload("default", proxy);
export const workloadRoots = (proxy: HasAgent): SdsSecretConfig => ofWorkload("ROOTCA", proxy);

/** Files of the proxy's own machine, which the agent reads again when they change. */
export const certificateFiles = (certificate: string, key: string, proxy: HasAgent): SdsSecretConfig =>
  ofWorkload(`file-cert:${certificate}~${key}`, proxy);
/** @param path "system" for the roots of the operating system. */
export const rootsFile = (path: string, proxy: HasAgent): SdsSecretConfig =>
  ofWorkload(`file-root:${path}`, proxy);

const builtin = "builtin://";
const schemes = ["kubernetes://", "kubernetes-gateway://", "configmap://", "invalid://"];
const rootsSuffix = "-cacert";

/** A secret named by a rule's credentialName, served by the control plane. */
export function credential(name: string, proxy: HasAgent): SdsSecretConfig {
  if (name === builtin) return workloadCertificate(proxy);
  const resourceName = schemes.some((scheme) => name.startsWith(scheme)) ? name : `kubernetes://${name}`;
  return create(SdsSecretConfigSchema, { name: resourceName, sdsConfig: secretsOverAds });
}

export const credentialRoots = (name: string, proxy: HasAgent): SdsSecretConfig =>
  name === builtin ? workloadRoots(proxy) : credential(`${name}${rootsSuffix}`, proxy);
