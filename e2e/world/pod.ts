import { join } from "node:path";
import { programPath, RunningProcess } from "./running-process.ts";
import { clientTask, type Target, type TrafficResult } from "./traffic.ts";
import { Hopeless } from "./until.ts";

export interface PodRecord {
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The node it runs on. */
  readonly node: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

export interface PodPlace {
  /** Of its network. */
  readonly namespace: string;
  /** It has no network of its own, but this machine's, as it is its node's. */
  readonly hostNetwork?: boolean;
  /** Of its programs: the pod's own, or one below it. */
  readonly cgroup: string;
  readonly podCgroup: string;
  /** Names the port of the bridge; see PodLink. */
  readonly index: number;
  /** Its programs' logs go here. */
  readonly logFolder: string;
}

/** A network namespace and a cgroup in which programs run, as in a pod. */
export class Pod implements PodRecord {
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly node: string;
  readonly ipv4: string;
  readonly ipv6: string;
  readonly place: PodPlace;
  private readonly processes: RunningProcess[] = [];

  constructor(record: PodRecord, place: PodPlace) {
    this.name = record.name;
    this.uid = record.uid;
    this.labels = record.labels;
    this.node = record.node;
    this.ipv4 = record.ipv4;
    this.ipv6 = record.ipv6;
    this.place = place;
  }

  /** Starts a program that runs until it is stopped, or the pod is removed. */
  start(...command: [string, ...string[]]): RunningProcess {
    return this.launch(command, false);
  }

  /** The same; what it prints is the starter's to read. */
  startPiped(...command: [string, ...string[]]): RunningProcess {
    return this.launch(command, true);
  }

  /** Starts a server and waits until it has printed the line "listening". */
  async startServer(...command: [string, ...string[]]): Promise<RunningProcess> {
    const server = this.launch(command, true);
    await firstLine(server);
    return server;
  }

  /** Starts a server that says the pod's name, over HTTP and UDP. */
  startEchoServer(port = 8080): Promise<RunningProcess> {
    return this.startServer(process.execPath, programPath("echo-server.ts"), this.name, String(port));
  }

  /** Sends `count` requests or datagrams and waits for what comes of them. */
  async send(target: Target, count: number): Promise<TrafficResult> {
    return resultOf(this.startClient(target, count));
  }

  /**
   * Sends without end until `stop` is called on what is returned.
   */
  sendUntilStopped(target: Target): { stop: () => Promise<TrafficResult> } {
    const client = this.startClient(target);
    const result = resultOf(client);
    // Whoever stops it gets the error; until then it must not count as unhandled.
    result.catch(() => undefined);
    return {
      stop: () => {
        client.child.stdin?.end();
        return result;
      },
    };
  }

  /** Ends all its programs. */
  async stop(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.stop(2_000)));
  }

  private startClient(target: Target, count?: number): RunningProcess {
    const task = JSON.stringify(clientTask(target, count));
    return this.launch([process.execPath, programPath("client.ts"), task], true);
  }

  private launch(command: [string, ...string[]], pipeOutput: boolean): RunningProcess {
    const { cgroup, namespace, hostNetwork, logFolder } = this.place;
    const logFile = join(logFolder, `${this.name}.log`);
    const process = new RunningProcess({
      title: `pod ${this.name}`,
      command,
      cgroup,
      ...(hostNetwork === true ? {} : { namespace }),
      logFile,
      pipeOutput,
    });
    this.processes.push(process);
    void process.ended.then(() => this.processes.splice(this.processes.indexOf(process), 1));
    return process;
  }
}

async function resultOf(client: RunningProcess): Promise<TrafficResult> {
  let output = "";
  client.child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
  const how = await new Promise<string>((resolve, reject) => {
    // "close" comes after the last of its output.
    client.child.once("close", (code, signal) =>
      resolve(code === null ? `signal ${signal}` : `code ${code}`),
    );
    client.child.once("error", reject);
  });
  if (how === "code 0") return JSON.parse(output) as TrafficResult;
  throw new Error(
    `${client.title}: the sender ended with ${how}; its last lines:\n${await client.lastLines()}`,
  );
}

/** Resolves at a server's first output. */
async function firstLine(server: RunningProcess): Promise<void> {
  const said = new Promise<boolean>((resolve) => {
    server.child.stdout?.once("data", () => resolve(true));
  });
  if (await Promise.race([said, server.ended.then(() => false)])) {
    server.child.stdout?.resume();
    return;
  }
  await server.assertAlive();
  throw new Hopeless(`${server.title} ended before it listened`);
}
