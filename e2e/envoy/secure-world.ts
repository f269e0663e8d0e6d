import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeCertificate, type TestCertificate, TestIssuer } from "@keelson/pilot/testing";
import { type Envoy, startEnvoy } from "../peers/envoy.ts";
import { type PilotDiscovery, startPilotDiscovery } from "../peers/pilot-discovery.ts";
import type { AdsVariant } from "../peers/plain-envoy.ts";
import type { KubernetesObject } from "../world/objects.ts";
import { secureBootstrap } from "./secure-bootstrap.ts";

/** The namespace of a gateway and its secrets. */
export const edge = "edge";

/** A control plane with TLS on a folder of files, and an Envoy as a gateway that shows who it is. */
export class SecureWorld implements AsyncDisposable {
  readonly controlPlane: PilotDiscovery;
  readonly envoy: Envoy;

  private constructor(controlPlane: PilotDiscovery, envoy: Envoy) {
    this.controlPlane = controlPlane;
    this.envoy = envoy;
  }

  /** Returns when the Envoy has all that it asks for. */
  static async start(variant: AdsVariant, objects: readonly KubernetesObject[]): Promise<SecureWorld> {
    const issuer = await TestIssuer.create();
    const { issuer: name, audiences, jwks } = issuer.rule();
    const controlPlane = await startPilotDiscovery({
      objects,
      environment: { JWT_RULE: JSON.stringify({ issuer: name, audiences, jwks }) },
    });
    try {
      const token = await issuer.token({ namespace: edge, serviceAccount: "gateway" });
      const root = await rootOf(controlPlane);
      const server = {
        port: controlPlane.ports.secureGrpc ?? 0,
        name: "istiod.istio-system.svc",
        root,
        token,
      };
      const node = {
        id: `router~127.0.0.1~gateway.${edge}~${edge}.svc.cluster.local`,
        metadata: {
          NAMESPACE: edge,
          SERVICE_ACCOUNT: "gateway",
          LABELS: { istio: "gateway" },
          PROXY_CONFIG: {},
        },
      };
      return new SecureWorld(
        controlPlane,
        await startEnvoy({ bootstrap: secureBootstrap(node, server, variant) }),
      );
    } catch (error) {
      await controlPlane.stop();
      throw error;
    }
  }

  /** Replaces all objects. */
  write(objects: readonly KubernetesObject[]): Promise<void> {
    return this.controlPlane.config.write("objects", objects);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.envoy.stop();
    await this.controlPlane.stop();
  }
}

/** PEM of the root that the control plane made for itself. */
async function rootOf({ process }: PilotDiscovery): Promise<string> {
  const stored = await readFile(join(process.folder, "state", "ca-root.json"), "utf8");
  return (JSON.parse(stored) as { "ca-cert.pem": string })["ca-cert.pem"];
}

/** core/v1 Secret of the gateway's namespace. */
export const secretObject = (
  name: string,
  stringData: Readonly<Record<string, string>>,
): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, namespace: edge },
  stringData,
});

export const tlsSecret = (
  name: string,
  { certificate, key }: TestCertificate,
  more: Readonly<Record<string, string>> = {},
): KubernetesObject => secretObject(name, { "tls.crt": certificate, "tls.key": key, ...more });

/** A certificate for hosts. */
export const certificateOf = (
  issuer: TestCertificate,
  host: string,
  options: Parameters<typeof makeCertificate>[0] = {},
): Promise<TestCertificate> => makeCertificate({ issuer, names: [{ type: "dns", value: host }], ...options });

/** Hexadecimal, as TLS clients show it. */
export const serialOf = ({ certificate }: TestCertificate): string =>
  new X509Certificate(certificate).serialNumber;
