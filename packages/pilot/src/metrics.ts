import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** The control plane's metrics; names that Pilot has keep their name and meaning. */
export class Metrics {
  readonly registry = new Registry();

  readonly pushes = new Counter({
    name: "pilot_xds_pushes",
    help: "Responses sent over xDS, by type URL.",
    labelNames: ["type"],
    registers: [this.registry],
  });
  readonly rejects = new Counter({
    name: "pilot_total_xds_rejects",
    help: "Responses that a node rejected, by type URL.",
    labelNames: ["type"],
    registers: [this.registry],
  });
  readonly connections = new Gauge({
    name: "pilot_xds",
    help: "Nodes connected over xDS.",
    registers: [this.registry],
  });
  readonly configErrors = new Gauge({
    name: "keelson_config_errors",
    help: "Errors in the configuration as it stands.",
    registers: [this.registry],
  });
  readonly compileSeconds = new Histogram({
    name: "keelson_compile_duration_seconds",
    help: "Time from a changed configuration to a new snapshot.",
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }
}
