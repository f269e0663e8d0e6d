import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { command, searchPath } from "../world/command.ts";
import { RunningProcess } from "../world/running-process.ts";
import { type UntilOptions, until } from "../world/until.ts";
import { killPeersOf, ownerVariable, runFolder, runOwner } from "./run-folder.ts";

/** Where a peer runs: in a network namespace and a cgroup, as a world's pods do; beside the test if left out. */
export interface Place {
  readonly namespace?: string;
  readonly cgroup?: string;
  /**
   * In a network namespace of its own that has a loopback interface and nothing else, and goes with it. Any address may
   * be bound there.
   */
  readonly alone?: boolean;
}

/** Programs in user namespaces may make network namespaces without being root. */
const asRoot = process.getuid?.() === 0 ? [] : ["--map-root-user"];

const enterAlone = 'ip link set lo up && echo 1 >/proc/sys/net/ipv4/ip_nonlocal_bind && exec "$@"';
const aloneArguments = [...asRoot, "--net", "sh", "-c", enterAlone, "alone"];

export interface PeerProcessOptions {
  /** For messages and the names of its files: "envoy", "istiod". */
  readonly title: string;
  readonly command: readonly [string, ...string[]];
  readonly environment?: Readonly<Record<string, string>>;
  readonly place?: Place;
  /** Standard output as a pipe; into the log if left out. */
  readonly pipeOutput?: boolean;
}

/** In a peer's environment: which one of its owner's it is. */
const peerVariable = "KEELSON_PEER";

/** Variables by which a peer's processes are found when it is stopped: whoever changes the environment keeps them. */
export const ownVariables = [ownerVariable, peerVariable] as const;

/** Why no peer can be in a network namespace of its own here; undefined if it can. */
export async function missingForAlone(): Promise<string | undefined> {
  try {
    await command("unshare", [...aloneArguments, "true"]);
    return undefined;
  } catch (error) {
    return `no network namespaces: ${error instanceof Error ? error.message : String(error)}`;
  }
}

let counter = 0;

/** A folder for one peer's files, named after it. */
export async function peerRunFolder(title: string): Promise<string> {
  const number = (counter += 1);
  const folder = join(await runFolder(), `${title}-${number}`);
  await mkdir(folder);
  return folder;
}

/**
 * A running peer. It has none of this process's environment and is killed by the kernel when this process goes,
 * however that happens.
 */
export class PeerProcess {
  readonly title: string;
  /** Its working folder; removed by stop(), while the log stays until the owner's folder is removed. */
  readonly folder: string;
  readonly process: RunningProcess;
  private readonly mark: string;

  constructor(folder: string, options: PeerProcessOptions) {
    this.title = options.title;
    this.folder = folder;
    const id = folder.slice(folder.lastIndexOf("/") + 1);
    this.mark = `${peerVariable}=${id}`;
    const { alone = false, ...place } = options.place ?? {};
    const killed = ["setpriv", "--pdeathsig", "KILL", "--", ...options.command] as const;
    this.process = new RunningProcess({
      title: options.title,
      command: alone ? ["unshare", ...aloneArguments, ...killed] : [...killed],
      logFile: `${folder}.log`,
      workingFolder: folder,
      environment: {
        PATH: searchPath,
        HOME: folder,
        TMPDIR: folder,
        ...options.environment,
        [ownerVariable]: runOwner,
        [peerVariable]: id,
      },
      ...place,
      ...(options.pipeOutput === undefined ? {} : { pipeOutput: options.pipeOutput }),
    });
  }

  get logFile(): string {
    return this.process.logFile;
  }

  /**
   * Waits until the peer says that it is ready; if it does not, or ends before, it is stopped.
   * @throws Error with its last lines.
   */
  async ready(condition: () => Promise<boolean>, options: Partial<UntilOptions> = {}): Promise<void> {
    const look = async () => {
      await this.process.assertAlive();
      return condition();
    };
    try {
      await until(look, { what: `${this.title} to be ready`, ...options });
    } catch (error) {
      const last = await this.process.lastLines();
      await this.stop();
      throw new Error(`${String(error)}\nlast lines of ${this.logFile}:\n${last}`, { cause: error });
    }
  }

  /** Ends it with SIGTERM, after `patienceMs` with SIGKILL, and kills what it has started and left behind. */
  async stop(patienceMs = 5_000): Promise<void> {
    await this.process.stop(patienceMs);
    await killPeersOf(runOwner, this.mark);
    await rm(this.folder, { recursive: true, force: true });
  }
}
