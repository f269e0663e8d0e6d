import { join } from "node:path";
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { type Edge, EdgeSchema } from "@keelson/protos/telemetry";
import { withAgentRights } from "./agent-rights.ts";
import { command, searchPath } from "./command.ts";
import { getJson } from "./get-json.ts";
import { programPath, RunningProcess } from "./running-process.ts";
import { applierProgram } from "./workspace.ts";

export interface ApplierPlace {
  /** Name of the node it serves. */
  readonly node: string;
  /** host:port of the control plane's xDS port. */
  readonly controlPlane: string;
  /** Callers below this cgroup are served. */
  readonly cgroup: string;
  /** The cgroup it runs in itself. */
  readonly ownCgroup: string;
  readonly stateFolder: string;
  readonly runFolder: string;
  readonly logFile: string;
}

export interface ApplierStart {
  /** Kubernetes namespaces whose pods are left alone. */
  readonly excludedNamespaces?: readonly string[];
  /** What decides each request; "none" by default. */
  readonly relay?: "builtin" | "envoy" | "none";
  /** Path of the Envoy that is the relay. */
  readonly envoy?: string;
  /** What it does with callers' sockets; nothing by default. The chart gives it PERFMON for it. */
  readonly sockets?: "count" | "switch" | "queue";
  /** It runs in this cgroup instead of one outside of all pods. */
  readonly cgroup?: string;
  /** The node is another agent's, which is to give it up. */
  readonly takesOver?: boolean;
  /** It has other layouts of its maps than this version has. */
  readonly otherLayouts?: boolean;
  /** What it is started by, instead of what leaves it the rights that it has in the chart's pod. */
  readonly startedBy?: readonly [string, ...string[]];
}

/** The applier's /status, as far as worlds read it. */
export interface ApplierStatus {
  readonly connected: boolean;
  /** By type URL: the version that the maps hold. */
  readonly types: Readonly<Record<string, { readonly version: string }>>;
  /** By type URL: why the last update was rejected. */
  readonly rejected: Readonly<Record<string, string>>;
  readonly services: number;
  readonly attachedTo: readonly string[];
  readonly pods: readonly PodStatus[];
  readonly workloadsWithoutCgroup: readonly string[];
  /** Undefined: the node has none. Its requests are a number of any size, as a text. */
  readonly relay?: {
    readonly pid?: number;
    readonly networks: number;
    readonly connections: number;
    readonly requests: string;
    readonly restarts: number;
  };
  readonly sockets: { readonly mode: string; readonly lowerBecause?: string };
  /** Undefined: programs take no requests. */
  readonly switching?: {
    readonly ports: number;
    /** Ports whose match tables are being made. */
    readonly beingMade: number;
    readonly tables: number;
    readonly others: readonly { readonly hostname: string; readonly why: string }[];
  };
  /** Node-wide counters; numbers of any size, as texts. */
  readonly statistics: Readonly<Record<string, string>>;
  /** Its programs do not hang any more where it has put them. */
  readonly displaced?: true;
  /** Of a node that is left alone. */
  readonly idleBecause?: string;
}

export interface PodStatus {
  /** "namespace/pod"; empty: the control plane has not told of it. */
  readonly name: string;
  readonly uid: string;
  readonly cgroup: string;
  /** Whether its calls are decided there. */
  readonly decided: boolean;
  readonly why: string;
}

const otherVersion = `--import=${programPath("other-layouts.ts")}`;

/** A bpf-applier of one node, with the rights it has in a pod of the chart; its programs and maps outlive it. */
export class Applier {
  readonly place: ApplierPlace;
  private process: RunningProcess | undefined;

  constructor(place: ApplierPlace) {
    this.place = place;
  }

  get node(): string {
    return this.place.node;
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }

  /** Where /status and /edges are served. */
  get adminSocket(): string {
    return join(this.place.runFolder, `${this.place.node}.sock`);
  }

  /** Resolves when the programs are attached; the control plane need not be there. */
  async start({
    excludedNamespaces = [],
    relay = "none",
    envoy,
    sockets,
    cgroup: startedIn,
    takesOver = false,
    otherLayouts = false,
    startedBy,
  }: ApplierStart = {}): Promise<void> {
    const { node, controlPlane, cgroup, ownCgroup, stateFolder, runFolder, logFile } = this.place;
    const flags = [
      "--control-plane",
      controlPlane,
      "--cgroup",
      cgroup,
      "--report-interval",
      "1",
      "--relay",
      relay,
      ...(envoy === undefined ? [] : ["--envoy-path", envoy]),
      ...(takesOver ? ["--take-over"] : []),
    ];
    const excluded = excludedNamespaces.flatMap((name) => ["--exclude-namespace", name]);
    const folders = ["--state-dir", stateFolder, "--run-dir", runFolder];
    const more = sockets === undefined ? [] : ["PERFMON"];
    const looks = sockets === undefined ? [] : ["--sockets", sockets];
    const [setRights, ...rights] = startedBy ?? (await withAgentRights(relay, ...more));
    const program = [process.execPath, applierProgram, "--node", node, "run"];
    const started = new RunningProcess({
      title: `bpf-applier of ${node}`,
      command: [setRights, ...rights, ...program, ...flags, ...excluded, ...looks, ...folders],
      cgroup: startedIn ?? ownCgroup,
      logFile,
      ...(otherLayouts
        ? { environment: { ...process.env, PATH: searchPath, NODE_OPTIONS: otherVersion } }
        : {}),
    });
    this.process = started;
    await started.until(
      async () => (await getJson({ socketPath: this.adminSocket }, "/status")).status === 200,
      { what: `the bpf-applier of ${node} to attach its programs` },
    );
  }

  async status(): Promise<ApplierStatus> {
    return (await this.get("/status")) as ApplierStatus;
  }

  /** All edges of the node as the maps hold them now. */
  async edges(): Promise<Edge[]> {
    return ((await this.get("/edges")) as JsonValue[]).map((edge) => fromJson(EdgeSchema, edge));
  }

  /** @throws Hopeless if the process has ended by itself. */
  async assertAlive(): Promise<void> {
    await this.process?.assertAlive();
  }

  /** Ends the process in order; programs and maps stay. @returns how it ended; undefined: it did not run */
  async stop(): Promise<string | undefined> {
    const how = await this.process?.stop();
    this.process = undefined;
    return how;
  }

  /** Ends the process as a crash would; programs and maps stay. */
  async kill(): Promise<void> {
    await this.process?.kill();
    this.process = undefined;
  }

  private async get(path: string): Promise<unknown> {
    await this.assertAlive();
    const { status, body } = await getJson({ socketPath: this.adminSocket }, path);
    if (status !== 200)
      throw new Error(`bpf-applier of ${this.node}: ${path} answered ${status}: ${JSON.stringify(body)}`);
    return body;
  }
}

/** Has the applier that runs on the node let go of it, with its own command. */
export async function uninstallRunning({ place: { node, runFolder } }: Applier): Promise<void> {
  await command(process.execPath, [applierProgram, "--node", node, "uninstall", "--run-dir", runFolder]);
}

/** Takes a node's programs off their hooks and removes its pins, with the applier's own command. */
export async function uninstallNode(node: string): Promise<void> {
  await command(process.execPath, [applierProgram, "--node", node, "uninstall"]);
}
