import type { SourceEvents } from "@keelson/sources";
import type { XdsEvent } from "@keelson/xds";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { InjectionMetrics } from "../admission/add-injection.ts";
import { ValidationMetrics } from "../admission/add-validation.ts";
import type { PipelineState } from "../config/config-pipeline.ts";
import { shortTypeName } from "./metric-type.ts";

export interface MetricsOptions {
  /** Of the program, as /version says it. */
  readonly version: string;
  /** What does not work, by part. */
  readonly problems: () => Readonly<Record<string, string>>;
  /** Version of Istio that is told → how many proxies and nodes that tell it are connected. */
  readonly connections: () => ReadonlyMap<string, number>;
  readonly sourceEvents: () => readonly SourceEvents[];
}

/** Proxies that need longer than the time of so many versions are not measured. */
const rememberedVersions = 1_000;

/** A type in metrics: by its short name, and by its URL. */
interface TypeLabels {
  readonly short: { readonly type: string };
  readonly long: { readonly type: string };
}

/** The control plane's metrics; names that Pilot has keep their name, meaning, labels and buckets. */
export class Metrics {
  readonly registry = new Registry();
  readonly validation = new ValidationMetrics(this.registry);
  readonly injection = new InjectionMetrics(this.registry);
  private readonly registers = [this.registry];
  /** Version → when the change that led to it was taken up. */
  private readonly takenAt = new Map<string, Date>();
  /** By type URL. */
  private readonly labels = new Map<string, TypeLabels>();
  private objects: PipelineState["objects"] = [];

  private readonly pushes = new Counter({
    name: "pilot_xds_pushes",
    help: "Responses sent over xDS, by type.",
    labelNames: ["type"],
    registers: this.registers,
  });
  private readonly rejects = new Counter({
    name: "pilot_total_xds_rejects",
    help: "Responses that a proxy or node rejected, by type.",
    labelNames: ["type"],
    registers: this.registers,
  });
  private readonly refusals = new Counter({
    name: "keelson_xds_refused_total",
    help: "Streams that were ended because of what the peer asked for, or for want of room.",
    registers: this.registers,
  });
  private readonly withheldSecrets = new Counter({
    name: "pilot_sds_certificate_errors_total",
    help: "Secrets that a proxy asked for and did not get: for want of them, or since it may not have them.",
    registers: this.registers,
  });
  private readonly configSize = new Histogram({
    name: "pilot_xds_config_size_bytes",
    help: "Sizes of responses, by type URL.",
    labelNames: ["type"],
    buckets: [1, 10_000, 1_000_000, 4_000_000, 10_000_000, 40_000_000],
    registers: this.registers,
  });
  private readonly pushSeconds = new Histogram({
    name: "pilot_xds_push_time",
    help: "Time that making and sending a response takes, in seconds, by type.",
    labelNames: ["type"],
    buckets: [0.01, 0.1, 0.5, 1, 3, 5, 10, 20, 30],
    registers: this.registers,
  });
  private readonly convergenceSeconds = new Histogram({
    name: "pilot_proxy_convergence_time",
    help: "Time from a changed configuration until a proxy or node was sent all that it lacked, in seconds.",
    buckets: [0.1, 0.5, 1, 3, 5, 10, 20, 30],
    registers: this.registers,
  });
  private readonly services = new Gauge({
    name: "pilot_services",
    help: "Services that are known.",
    registers: this.registers,
  });
  private readonly configErrors = new Gauge({
    name: "keelson_config_errors",
    help: "Errors in the configuration as it stands.",
    registers: this.registers,
  });
  private readonly compileSeconds = new Histogram({
    name: "keelson_compile_duration_seconds",
    help: "Time from a changed configuration to a new snapshot.",
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
    registers: this.registers,
  });

  constructor(options: MetricsOptions) {
    collectDefaultMetrics({ register: this.registry });
    this.addProgram(options.version);
    this.addLive(options);
  }

  takeState({ objects, model, problems, seconds }: PipelineState): void {
    this.compileSeconds.observe(seconds);
    this.services.set(model.services.size);
    this.objects = objects;
    this.configErrors.set(problems.filter(({ severity }) => severity === "error").length);
  }

  /** @param takenAt when the change that led to the version was taken up */
  takeVersion(version: string, takenAt: Date): void {
    this.takenAt.set(version, takenAt);
    const [oldest] = this.takenAt.keys();
    if (this.takenAt.size > rememberedVersions && oldest !== undefined) this.takenAt.delete(oldest);
  }

  takeXdsEvent(event: XdsEvent): void {
    if (event.kind === "push") {
      const { typeUrl, seconds, bytes } = event;
      const labels = this.labels.get(typeUrl) ?? this.labelsOf(typeUrl);
      this.pushes.inc(labels.short);
      this.pushSeconds.observe(labels.short, seconds);
      this.configSize.observe(labels.long, bytes);
    } else if (event.kind === "brought") {
      const takenAt = this.takenAt.get(event.version);
      if (takenAt !== undefined) this.convergenceSeconds.observe((Date.now() - takenAt.getTime()) / 1000);
    } else if (event.kind === "refused") {
      this.refusals.inc();
    } else if (event.kind === "nack") {
      this.rejects.inc({ type: shortTypeName(event.typeUrl) });
    }
  }

  private labelsOf(typeUrl: string): TypeLabels {
    const labels = { short: { type: shortTypeName(typeUrl) }, long: { type: typeUrl } };
    this.labels.set(typeUrl, labels);
    return labels;
  }

  takeSecretWithheld(): void {
    this.withheldSecrets.inc();
  }

  private addProgram(version: string): void {
    const info = new Gauge({
      name: "pilot_info",
      help: "The program's version; always 1.",
      labelNames: ["version"],
      registers: this.registers,
    });
    info.set({ version }, 1);
    const startedMs = Date.now();
    this.addGauge("istiod_uptime_seconds", "Time since the program was started.", (gauge) =>
      gauge.set((Date.now() - startedMs) / 1000),
    );
  }

  private addLive({ problems, connections, sourceEvents }: MetricsOptions): void {
    this.addGauge(
      "pilot_xds",
      "Proxies and nodes connected over xDS, by the version of Istio that they tell.",
      (gauge) => {
        gauge.reset();
        for (const [version, count] of connections()) gauge.set({ version }, count);
      },
      ["version"],
    );
    this.addGauge("pilot_virt_services", "VirtualServices that are read.", (gauge) =>
      gauge.set(this.objects.filter(({ kind }) => kind === "VirtualService").length),
    );
    this.addEvents("pilot_k8s_reg_events", "registry", sourceEvents);
    this.addEvents("pilot_k8s_cfg_events", "rules", sourceEvents);
    const help = "1 for each part of the program that does not work; /ready says why.";
    this.addGauge(
      "keelson_problem",
      help,
      (gauge) => {
        gauge.reset();
        for (const part of Object.keys(problems())) gauge.set({ part }, 1);
      },
      ["part"],
    );
  }

  private addEvents(name: string, role: SourceEvents["role"], read: MetricsOptions["sourceEvents"]): void {
    const counter: Counter<"type" | "event"> = new Counter({
      name,
      help: `Events from Kubernetes about ${role === "registry" ? "services and who is behind them" : "rules"}.`,
      labelNames: ["type", "event"],
      registers: [],
      collect: () => {
        counter.reset();
        for (const { role: of, kind: type, event, count } of read())
          if (of === role) counter.inc({ type, event }, count);
      },
    });
    this.registry.registerMetric(counter);
  }

  /** @param read called whenever the metrics are asked for */
  private addGauge<Label extends string = never>(
    name: string,
    help: string,
    read: (gauge: Gauge<Label>) => void,
    labelNames: readonly Label[] = [],
  ): void {
    const gauge: Gauge<Label> = new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [],
      collect: () => read(gauge),
    });
    this.registry.registerMetric(gauge);
  }
}
