import type { XdsEvent } from "@keelson/xds";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { PipelineState } from "../config/config-pipeline.ts";
import { shortTypeName } from "./metric-type.ts";

export interface MetricsOptions {
  /** Of the program, as /version says it. */
  readonly version: string;
  /** What does not work, by part. */
  readonly problems: () => Readonly<Record<string, string>>;
  /** How many proxies and nodes are connected. */
  readonly connections: () => number;
}

/** The control plane's metrics; names that Pilot has keep their name, meaning, labels and buckets. */
export class Metrics {
  readonly registry = new Registry();
  private readonly registers = [this.registry];

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
  private readonly configSize = new Histogram({
    name: "pilot_xds_config_size_bytes",
    help: "Sizes of responses, by type URL.",
    labelNames: ["type"],
    buckets: [1, 10_000, 1_000_000, 4_000_000, 10_000_000, 40_000_000],
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

  takeState({ model, problems, seconds }: PipelineState): void {
    this.compileSeconds.observe(seconds);
    this.services.set(model.services.size);
    this.configErrors.set(problems.filter(({ severity }) => severity === "error").length);
  }

  takeXdsEvent(event: XdsEvent): void {
    if (event.kind === "push") {
      this.pushes.inc({ type: shortTypeName(event.typeUrl) });
      this.configSize.observe({ type: event.typeUrl }, event.bytes);
    } else if (event.kind === "nack") {
      this.rejects.inc({ type: shortTypeName(event.typeUrl) });
    }
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

  private addLive({ problems, connections }: MetricsOptions): void {
    this.addGauge("pilot_xds", "Proxies and nodes connected over xDS.", (gauge) => gauge.set(connections()));
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
