import { stateFolder } from "@keelson/model/names";
import type { ApiServer } from "@keelson/sources";
import type { Logger } from "pino";
import { SecureServing } from "../ca/secure-serving.ts";
import { secureServingOptions } from "../ca/serving-options.ts";
import type { ControlPlane } from "../control-plane.ts";
import type { DiscoverySettings } from "../settings/discovery-settings.ts";

/** The program's log, and the API server, if there is one, that knows callers by their tokens. */
export interface SecureSurroundings {
  readonly logger: Logger;
  readonly apiServer: ApiServer | undefined;
}

/**
 * What ports with TLS need, as the settings and the mesh configuration say.
 * @returns undefined if nobody makes a certificate for them
 * @throws Error saying what is wrong with the CA's root, or with the server's certificate
 */
export async function openServing(
  controlPlane: ControlPlane,
  { identity, security }: DiscoverySettings,
  { logger, apiServer }: SecureSurroundings,
): Promise<SecureServing | undefined> {
  const mesh = controlPlane.state?.model.mesh;
  if (mesh === undefined) throw new Error("the mesh configuration has not been read yet");
  const options = secureServingOptions(security.variables, {
    namespace: identity.namespace,
    trustDomain: mesh.trustDomain,
    discoveryHost: "",
    stateFolder: stateFolder(),
    apiServer,
    tls: security.tls,
  });
  if (options === undefined) return undefined;
  return SecureServing.open({ ...options, registry: controlPlane.metrics.registry, logger });
}
