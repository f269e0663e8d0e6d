import type { WriteRate } from "../kubernetes/write-budget.ts";
import type { SettingsInput } from "./settings-input.ts";

/** What is read from Kubernetes and written to it, and how it is reached. */
export interface KubernetesSettings {
  /** Path; empty: the cluster that the program runs in. */
  readonly kubeconfig: string;
  /** Service registries by their names, as Pilot knows them. */
  readonly registries: readonly string[];
  /** The only namespace that is read; empty: all. */
  readonly namespace: string;
  /** Rules that are labelled with another one are not for this control plane. */
  readonly revision: string;
  /** Whether one of several replicas does what only one may do; otherwise each does it. */
  readonly leaderElection: boolean;
  /** Name of the ConfigMaps with the root. */
  readonly rootConfigMap: string;
  readonly writeRate: WriteRate;
  /** Whether Kubernetes is told how it reaches our check of rules. */
  readonly keepsValidation: boolean;
  /** By which name the status of the Gateway API's objects is written; empty: it is not. */
  readonly gatewayController: string;
}

export const kubernetesSettings = ({ flags, environment }: SettingsInput): KubernetesSettings => ({
  kubeconfig: flags.kubeconfig,
  registries: flags.registries,
  namespace: flags.appNamespace,
  revision: environment.REVISION === "" ? "default" : environment.REVISION,
  leaderElection: environment.ENABLE_LEADER_ELECTION,
  rootConfigMap: environment.PILOT_CA_CERT_CONFIGMAP,
  keepsValidation: environment.VALIDATION_WEBHOOK_CONFIG_NAME !== "",
  gatewayController: controllerOf(environment),
  writeRate: { perSecond: flags.kubernetesApiQPS, burst: flags.kubernetesApiBurst },
});

function controllerOf(environment: SettingsInput["environment"]): string {
  const { PILOT_GATEWAY_API_CONTROLLER_NAME: name, PILOT_ENABLE_GATEWAY_API_STATUS: isOn } = environment;
  return isOn ? name : "";
}
