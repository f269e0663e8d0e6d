import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type PilotDiscovery, startPilotDiscovery } from "../peers/pilot-discovery.ts";
import { TokenIssuer } from "../peers/token-issuer.ts";
import { freePort } from "../world/free-port.ts";
import type { KubernetesObject } from "../world/objects.ts";
import { until } from "../world/until.ts";

const services = 200;
const sampleEveryMs = 20;

/** By what it serves. */
export interface VictimPorts {
  readonly grpc: number;
  readonly secureGrpc: number;
  readonly http: number;
  readonly monitoring: number;
  /** Where Pilot 0.7 had what monitoring has. */
  readonly oldMonitoring: number;
  readonly https: number;
  readonly admission: number;
}

/** The control plane's program with the ports of all ages open, and what can be seen of it from outside. */
export class Victim {
  readonly plane: PilotDiscovery;
  readonly ports: VictimPorts;
  readonly issuer: TokenIssuer;
  private readonly pid: number;
  private peak = 0;
  private readonly sampling: NodeJS.Timeout;
  private changes = 0;

  private constructor(plane: PilotDiscovery, ports: VictimPorts, issuer: TokenIssuer) {
    const { pid } = plane.process.process;
    if (pid === undefined) throw new Error("the program has no process id");
    this.plane = plane;
    this.ports = ports;
    this.issuer = issuer;
    this.pid = pid;
    this.sampling = setInterval(() => {
      this.peak = Math.max(this.peak, this.rss());
    }, sampleEveryMs);
  }

  static async start(): Promise<Victim> {
    const issuer = new TokenIssuer();
    const more = { oldMonitoring: await freePort(), https: await freePort(), admission: await freePort() };
    const plane = await startPilotDiscovery({
      objects: serviceEntries(0),
      environment: { JWT_RULE: issuer.rule() },
      nodeArguments: heapOptions,
      args: [
        `--monitoringPort=${more.oldMonitoring}`,
        `--httpsAddr=127.0.0.1:${more.https}`,
        `--admission-service-port=${more.admission}`,
        "--v1-discovery=0.2",
      ],
    });
    return new Victim(plane, { ...plane.ports, ...more }, issuer);
  }

  /** Resident memory, in MiB (proc(5), /proc/PID/status). */
  rss(): number {
    const [, kibibytes = ""] =
      /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.pid}/status`, "utf8")) ?? [];
    return Math.round(Number(kibibytes) / 1024);
  }

  /** The most of it since the last call, in MiB. */
  takePeak(): number {
    const peak = Math.max(this.peak, this.rss());
    this.peak = 0;
    return peak;
  }

  /** A metric, with its labels as they stand on the page; 0 if it is not there yet. */
  async metric(name: string): Promise<number> {
    const { body } = await this.plane.get("/metrics");
    const line = body.split("\n").find((each) => each.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1) ?? 0);
  }

  async log(): Promise<readonly string[]> {
    return (await readFile(this.plane.process.logFile, "utf8")).trimEnd().split("\n");
  }

  /** PEM of its CA's root. */
  async root(): Promise<string> {
    const file = join(this.plane.process.folder, "state", "ca-root.json");
    return (JSON.parse(await readFile(file, "utf8")) as { "ca-cert.pem": string })["ca-cert.pem"];
  }

  /** Makes every proxy's clusters others; resolves when that is known and about to be sent. */
  async change(): Promise<void> {
    const compiled = "keelson_compile_duration_seconds_count";
    const before = await this.metric(compiled);
    this.changes += 1;
    await this.plane.config.write("objects", serviceEntries(this.changes));
    await until(async () => (await this.metric(compiled)) > before, { what: "the change to be taken up" });
  }

  async stop(): Promise<void> {
    clearInterval(this.sampling);
    await this.plane.stop();
  }
}

/** A heap that a leak would fill, and collected often enough for one attack to be compared with the next. */
const heapOptions = ["--max-old-space-size=256"];

const serviceEntries = (change: number): KubernetesObject[] =>
  Array.from({ length: services }, (_, index) => ({
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name: `service-${index}`, namespace: "default" },
    spec: {
      hosts: [`service-${index}.change-${change}.test`],
      ports: [{ number: 80, name: "http", protocol: "HTTP" }],
      resolution: "STATIC",
      endpoints: [{ address: "127.0.0.9" }],
    },
  }));
