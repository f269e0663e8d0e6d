import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Pod } from "../../world/pod.ts";
import { RunningProcess } from "../../world/running-process.ts";

/** What is dialled. */
export interface Dialled {
  readonly transport: "tcp" | "udp";
  readonly address: string;
  readonly port: number;
}

const wordBytes = Uint32Array.BYTES_PER_ELEMENT;

/**
 * A process in a pod's network that times connect(), native/connect-probe.c. A socket belongs to the cgroup that its
 * maker is in at that moment, so moving the process decides which programs its connections meet; all else stays.
 */
export class ConnectProbe {
  private readonly process: RunningProcess;
  private readonly output: Readable;

  private constructor(process: RunningProcess) {
    this.process = process;
    if (process.child.stdout === null) throw new Error(`${process.title} was started without a pipe`);
    this.output = process.child.stdout;
  }

  static async start(program: string, { name, place }: Pod): Promise<ConnectProbe> {
    const process = new RunningProcess({
      title: `the probe in pod ${name}`,
      command: [program],
      cgroup: place.cgroup,
      namespace: place.namespace,
      logFile: join(place.logFolder, `${name}-probe.log`),
      pipeOutput: true,
    });
    const probe = new ConnectProbe(process);
    // Before it says so, it may not have joined the pod's cgroup yet, and would undo a move.
    await probe.words(1);
    return probe;
  }

  async moveTo(cgroup: string): Promise<void> {
    await writeFile(join(cgroup, "cgroup.procs"), String(this.process.pid));
  }

  /** @returns the errno of a single call, 0 if it went well. */
  async tryOnce(dialled: Dialled): Promise<number> {
    const errno = await this.ask(dialled, 1);
    if (errno === 0) await this.words(1);
    return errno;
  }

  /**
   * Connects `count` times, one after the other.
   * @param count 1 to 100,000
   * @returns nanoseconds that each call took.
   * @throws Error with the errno if a call failed.
   */
  async measure(dialled: Dialled, count: number): Promise<Uint32Array> {
    const errno = await this.ask(dialled, count);
    if (errno !== 0)
      throw new Error(`connecting to ${dialled.transport} ${dialled.address} failed with errno ${errno}`);
    return this.words(count);
  }

  private async ask({ transport, address, port }: Dialled, count: number): Promise<number> {
    this.process.child.stdin?.write(`${transport} ${address} ${port} ${count}\n`);
    const [errno = 0] = await this.words(1);
    return errno;
  }

  private async words(count: number): Promise<Uint32Array> {
    const bytes = count * wordBytes;
    for (;;) {
      const piece = this.output.read(bytes) as Buffer | null;
      if (piece?.length === bytes) return new Uint32Array(Uint8Array.from(piece).buffer);
      await this.process.assertAlive();
      await Promise.race([once(this.output, "readable"), this.process.ended]);
    }
  }
}
