import type { SettingsInput } from "./settings-input.ts";

/** What is read from Kubernetes, and how it is reached. */
export interface KubernetesSettings {
  /** Path; empty: the cluster that the program runs in. */
  readonly kubeconfig: string;
  /** Service registries by their names, as Pilot knows them. */
  readonly registries: readonly string[];
  /** The only namespace that is read; empty: all. */
  readonly namespace: string;
  /** Rules that are labelled with another one are not for this control plane. */
  readonly revision: string;
}

export const kubernetesSettings = ({ flags, environment }: SettingsInput): KubernetesSettings => ({
  kubeconfig: flags.kubeconfig,
  registries: flags.registries,
  namespace: flags.appNamespace,
  revision: environment.REVISION === "" ? "default" : environment.REVISION,
});
