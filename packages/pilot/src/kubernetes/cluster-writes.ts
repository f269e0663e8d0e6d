import { hostname } from "node:os";
import type { ApiServer } from "@keelson/sources";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { PipelineState } from "../config/config-pipeline.ts";
import type { KubernetesSettings } from "../settings/kubernetes-settings.ts";
import { DefaultRevision } from "./default-revision.ts";
import { type ElectionTiming, LeaderElection } from "./locks/leader-election.ts";
import { ConfigMapLock, LeaseLock, type LockStore } from "./locks/lock-store.ts";
import { RootCertificateMaps } from "./root-certificate-maps.ts";
import { GatewayStatus } from "./status/gateway-status.ts";
import { ValidationProbe } from "./validation-probe.ts";
import { WebhookConfigurations, type WebhookConfigurationsOptions } from "./webhook-configurations.ts";
import { WriteBudget } from "./write-budget.ts";
import { WriteReport } from "./write-report.ts";

/** What workloads check the control plane's certificate, and each other's, by. */
export interface Roots {
  /** PEM; empty: there are none. */
  readonly roots: string;
  /** @param listener called when `roots` may have changed */
  onRootsChange(listener: () => void): void;
}

/** The configuration, of which statuses tell. */
export interface Configuration {
  /** Undefined until it has been read. */
  readonly state: PipelineState | undefined;
  /** @param listener called after every change of `state` */
  onState(listener: () => void): void;
}

export interface ClusterWritesOptions {
  readonly api: ApiServer;
  readonly settings: KubernetesSettings;
  /** Of the control plane: its locks are there, under its pod's name. */
  readonly identity: { readonly namespace: string; readonly podName: string };
  /** Undefined: there is no port with TLS. */
  readonly roots: Roots | undefined;
  /** Whether a port for webhooks is open. */
  readonly servesWebhooks: boolean;
  readonly configuration: Configuration;
  /** Suffix of Kubernetes' service names. */
  readonly domain: string;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly timing?: Partial<ElectionTiming>;
}

/** The lock under which istiod, too, publishes its root. */
const rootsLock = "istio-namespace-controller-election";

/** And under which it says what became of the Gateway API's objects; each revision has its own. */
const statusLock = "istio-gateway-status-leader";

/** All that the control plane writes to Kubernetes, each part under the lock that istiod has for it. */
export class ClusterWrites {
  private readonly options: ClusterWritesOptions;
  private readonly report: WriteReport;
  private readonly budget: WriteBudget;
  private readonly defaultRevision: DefaultRevision;
  private readonly stop = new AbortController();
  private running: Promise<unknown> = Promise.resolve();

  constructor(options: ClusterWritesOptions) {
    this.options = options;
    this.report = new WriteReport(options.registry, options.logger);
    this.budget = new WriteBudget(options.settings.writeRate);
    this.defaultRevision = new DefaultRevision(options.api, this.report);
  }

  /** Begins; whatever goes wrong is in the log and in the metrics. */
  start(): void {
    const { signal } = this.stop;
    this.running = Promise.all([
      this.defaultRevision.run(signal),
      this.publishRoots(signal),
      this.keepValidation(signal),
      this.keepInjection(signal),
      this.tellStatus(signal),
    ]);
  }

  /** Ends all work and gives the locks back, so that another replica need not wait. */
  async close(): Promise<void> {
    this.stop.abort();
    await this.running;
  }

  private async publishRoots(signal: AbortSignal): Promise<void> {
    const { api, settings, roots } = this.options;
    if (roots === undefined || roots.roots === "") return;
    const maps = new RootCertificateMaps({
      api,
      name: settings.rootConfigMap,
      namespace: settings.namespace,
      roots: () => roots.roots,
      budget: this.budget,
      report: this.report,
    });
    roots.onRootsChange(() => maps.rootsChanged());
    await this.lead(new ConfigMapLock(this.place(rootsLock)), (term) => maps.run(term), signal);
  }

  private async keepValidation(signal: AbortSignal): Promise<void> {
    if (!this.options.settings.keepsValidation) return;
    const { api, settings, identity } = this.options;
    const probe = new ValidationProbe({
      api,
      namespace: identity.namespace,
      revision: settings.revision,
      onReached: () => configurations?.lookAgain(),
    });
    const configurations = this.webhooks("ValidatingWebhookConfiguration", (stop) => probe.reaches(stop));
    await configurations?.run(signal);
  }

  private async keepInjection(signal: AbortSignal): Promise<void> {
    if (!this.options.settings.keepsInjection) return;
    await this.webhooks("MutatingWebhookConfiguration")?.run(signal);
  }

  /** Undefined: nobody could reach our webhooks. */
  private webhooks(
    kind: WebhookConfigurationsOptions["kind"],
    isReached?: WebhookConfigurationsOptions["isReached"],
  ): WebhookConfigurations | undefined {
    const { api, settings, roots, servesWebhooks } = this.options;
    if (roots === undefined || !servesWebhooks) return undefined;
    const configurations = new WebhookConfigurations({
      api,
      kind,
      revision: settings.revision,
      roots: () => roots.roots,
      ...(isReached && { isReached }),
      budget: this.budget,
      report: this.report,
    });
    roots.onRootsChange(() => configurations.lookAgain());
    return configurations;
  }

  private async tellStatus(signal: AbortSignal): Promise<void> {
    const { api, settings, configuration, domain } = this.options;
    if (settings.gatewayController === "") return;
    const status = new GatewayStatus({
      api,
      namespace: settings.namespace,
      domain,
      controller: settings.gatewayController,
      state: () => configuration.state,
      budget: this.budget,
      report: this.report,
    });
    configuration.onState(() => status.stateChanged());
    const lock = new LeaseLock(this.place(`${statusLock}-${settings.revision}`));
    await this.lead(lock, (term) => status.run(term), signal, false);
  }

  private place(name: string): ConstructorParameters<typeof ConfigMapLock>[0] {
    const { api, identity } = this.options;
    return { api, namespace: identity.namespace, name };
  }

  private async lead(
    lock: LockStore,
    work: (term: AbortSignal) => Promise<void>,
    signal: AbortSignal,
    ofAllRevisions = true,
  ): Promise<void> {
    const { settings, identity, timing = {} } = this.options;
    const { revision } = settings;
    if (!settings.leaderElection) return work(signal);
    const election = new LeaderElection({
      lock,
      identity: identity.podName === "" ? `unknown-${hostname()}` : identity.podName,
      key: ofAllRevisions ? revision : "",
      outranks: (holderKey) => ofAllRevisions && this.defaultRevision.outranks(revision, holderKey),
      timing,
      onEvent: (event) => this.report.election(lock.name, event),
    });
    await election.run(work, signal);
  }
}
