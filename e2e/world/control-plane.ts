import { getJson } from "./get-json.ts";
import { RunningProcess } from "./running-process.ts";
import { controlPlaneProgram } from "./workspace.ts";

export interface ControlPlanePlace {
  readonly configFolder: string;
  /** Of the API server that it reads, in place of the folder. */
  readonly kubeconfig?: string;
  readonly grpcPort: number;
  readonly httpPort: number;
  /** The cgroup it runs in; the caller's own if left out. */
  readonly ownCgroup?: string;
  readonly logFile: string;
}

/** A control plane on a folder of YAML files or an API server, as a process on loopback. */
export class ControlPlane {
  readonly place: ControlPlanePlace;
  private process: RunningProcess | undefined;

  constructor(place: ControlPlanePlace) {
    this.place = place;
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }

  get grpcAddress(): string {
    return `127.0.0.1:${this.place.grpcPort}`;
  }

  get url(): string {
    return `http://127.0.0.1:${this.place.httpPort}`;
  }

  /** Resolves when it says that it is ready. */
  async start(): Promise<void> {
    const { configFolder, kubeconfig, httpPort, ownCgroup, logFile } = this.place;
    const flags = [
      // Left out, it is KUBECONFIG's: the cluster of whoever runs this would be read beside the folder.
      `--kubeconfig=${kubeconfig ?? ""}`,
      ...(kubeconfig === undefined ? ["--configDir", configFolder] : []),
      "--grpcAddr",
      this.grpcAddress,
      "--httpAddr",
      `127.0.0.1:${httpPort}`,
      // Nothing beyond loopback, and nothing that two worlds would have to share.
      "--monitoringAddr=",
      "--monitoringPort=0",
      "--secureGRPCAddr=",
      "--httpsAddr=",
    ];
    const started = new RunningProcess({
      title: "the control plane",
      command: [process.execPath, controlPlaneProgram, "discovery", ...flags],
      logFile,
      ...(ownCgroup === undefined ? {} : { cgroup: ownCgroup }),
    });
    this.process = started;
    await started.until(
      async () => {
        const { status, body } = await getJson({ host: "127.0.0.1", port: httpPort }, "/ready");
        if (status !== 200) throw new Error(`not ready: ${JSON.stringify(body)}`);
        return true;
      },
      { what: "the control plane to be ready" },
    );
  }

  /** @throws Hopeless if the process has ended by itself. */
  async assertAlive(): Promise<void> {
    await this.process?.assertAlive();
  }

  /** Gets one of its documents. @throws Error if it ended, or answers with anything but 200. */
  async get(path: string): Promise<unknown> {
    await this.assertAlive();
    const { status, body } = await getJson({ host: "127.0.0.1", port: this.place.httpPort }, path);
    if (status !== 200) throw new Error(`control plane: ${path} answered ${status}: ${JSON.stringify(body)}`);
    return body;
  }

  async stop(): Promise<void> {
    await this.process?.stop();
    this.process = undefined;
  }

  async kill(): Promise<void> {
    await this.process?.kill();
    this.process = undefined;
  }
}
