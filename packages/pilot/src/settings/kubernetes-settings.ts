import type { WriteRate } from "../kubernetes/write-budget.ts";
import type { Errors, SettingsInput } from "./settings-input.ts";

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
  /** The same of pods that ask for sidecars. */
  readonly keepsInjection: boolean;
  /** By which name the status of the Gateway API's objects is written; empty: it is not. */
  readonly gatewayController: string;
}

/** @param errors what is wrong with the values is added to it */
export const kubernetesSettings = (input: SettingsInput, errors: Errors): KubernetesSettings => {
  const { flags, environment } = input;
  return {
    kubeconfig: flags.kubeconfig,
    registries: flags.registries,
    namespace: flags.appNamespace,
    revision: environment.REVISION === "" ? "default" : environment.REVISION,
    leaderElection: environment.ENABLE_LEADER_ELECTION,
    rootConfigMap: environment.PILOT_CA_CERT_CONFIGMAP,
    keepsValidation: environment.VALIDATION_WEBHOOK_CONFIG_NAME !== "",
    keepsInjection: environment.INJECTION_WEBHOOK_CONFIG_NAME !== "",
    gatewayController: controllerOf(environment),
    writeRate: writeRate(input, errors),
  };
};

function writeRate({ flags }: SettingsInput, errors: Errors): WriteRate {
  const { kubernetesApiQPS: perSecond, kubernetesApiBurst: burst } = flags;
  if (!(perSecond > 0))
    errors.push(`--kubernetesApiQPS: ${perSecond} is not above zero, so nothing could be written`);
  if (burst < 1) errors.push(`--kubernetesApiBurst: ${burst} is less than one, so nothing could be written`);
  return { perSecond, burst };
}

function controllerOf(environment: SettingsInput["environment"]): string {
  const { PILOT_GATEWAY_API_CONTROLLER_NAME: name, PILOT_ENABLE_GATEWAY_API_STATUS: isOn } = environment;
  return isOn ? name : "";
}
