import { authenticationEnvironment, authorityEnvironment } from "./certificates.ts";
import { gatewayApiEnvironment, generatedEnvironment, kubernetesEnvironment } from "./features.ts";
import { identityEnvironment, webhookEnvironment } from "./identity.ts";
import { debugEnvironment, pushEnvironment } from "./serving.ts";

/** The environment variables of `discovery`: those of Pilot 0.2.12 and 0.7.1, and those of istiod's that its installations rely on. */
export const discoveryEnvironment = {
  ...identityEnvironment,
  ...webhookEnvironment,
  ...authorityEnvironment,
  ...authenticationEnvironment,
  ...debugEnvironment,
  ...pushEnvironment,
  ...kubernetesEnvironment,
  ...gatewayApiEnvironment,
  ...generatedEnvironment,
} as const;
