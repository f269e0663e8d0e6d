import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { defaultDomain } from "@keelson/model/names";
import { Applier, type ApplierStart } from "./applier.ts";
import { killProcesses, makeCgroup, removeCgroup } from "./cgroups.ts";
import { ConfigFolder } from "./config-folder.ts";
import { ControlPlane } from "./control-plane.ts";
import { onEndSignal } from "./end-signals.ts";
import { freePort } from "./free-port.ts";
import { type HostEntry, hostsFile, serviceNames } from "./hosts-file.ts";
import { removeDeadWorlds, removeWorld } from "./leftovers.ts";
import { WorldLock } from "./lock.ts";
import { ensureCgroup2 } from "./mounts.ts";
import { WorldNames } from "./names.ts";
import { ensureNamespaceRoot } from "./namespace-root.ts";
import { addPodLinks, makeBridge, removeNamespace, serviceAddresses, writeHostsFile } from "./network.ts";
import type { ServicePort, ServiceRecord } from "./objects.ts";
import type { Pod } from "./pod.ts";
import { type PodRequest, podOf } from "./pod-request.ts";
import { cgroupsFound, controlPlaneStatus, type SettledOptions, settled } from "./settled.ts";
import { Work } from "./work.ts";

export interface WorldOptions {
  /** Ports of the control plane on 127.0.0.1; 0, the default, for any that is free. */
  readonly grpcPort?: number;
  readonly httpPort?: number;
  /** Close the world and exit at SIGINT, SIGTERM and SIGHUP; true by default. */
  readonly closeOnSignals?: boolean;
  /** Of the API server that the control plane reads, in place of the world's folder of configuration. */
  readonly kubeconfig?: string;
}

/**
 * A small cluster on this machine: pods as network namespaces and cgroups, a control plane, appliers. It is gone when
 * it is closed; if its owner is killed, the next world that opens removes it.
 */
export class World {
  readonly names: WorldNames;
  readonly config: ConfigFolder;
  readonly controlPlane: ControlPlane;
  readonly pods = new Map<string, Pod>();
  readonly services = new Map<string, ServiceRecord>();
  /** Worlds of killed owners that were removed when this one opened. */
  readonly removedBefore: readonly string[];
  private readonly lock: WorldLock;
  private readonly cgroup: string;
  private readonly appliers = new Map<number, Applier>();
  private podsMade = 0;
  private hostsWritten: Promise<void> = Promise.resolve();
  private readonly work = new Work();
  private closing: Promise<void> | undefined;
  private readonly stopListening: () => void;

  private constructor(
    parts: Pick<World, "names" | "config" | "controlPlane" | "removedBefore">,
    lock: WorldLock,
    cgroup: string,
    closeOnSignals: boolean,
  ) {
    this.names = parts.names;
    this.config = parts.config;
    this.controlPlane = parts.controlPlane;
    this.removedBefore = parts.removedBefore;
    this.lock = lock;
    this.cgroup = cgroup;
    this.stopListening = closeOnSignals
      ? onEndSignal((_, code) => void this.close().finally(() => process.exit(code)))
      : () => undefined;
  }

  /**
   * @param name 1 to 24 lower-case letters and digits
   * @throws WorldInUse if a live process owns a world of this name.
   */
  static async open(
    name: string,
    { grpcPort, httpPort, closeOnSignals = true, kubeconfig }: WorldOptions = {},
  ): Promise<World> {
    const names = new WorldNames(name);
    const removedBefore = await removeDeadWorlds();
    const lock = await WorldLock.take(names);
    try {
      await removeWorld(names);
      for (const folder of ["logs", "run", "state"]) {
        await mkdir(join(names.folder, folder), { recursive: true, mode: 0o700 });
      }
      await ensureNamespaceRoot();
      const cgroup = join(await ensureCgroup2(), names.prefix);
      await makeCgroup(join(cgroup, "system"));
      await makeBridge(names);
      const config = await ConfigFolder.create(join(names.folder, "config"));
      const controlPlane = new ControlPlane({
        configFolder: config.path,
        ...(kubeconfig === undefined ? {} : { kubeconfig }),
        grpcPort: await freePort(grpcPort),
        httpPort: await freePort(httpPort),
        ownCgroup: join(cgroup, "system"),
        logFile: join(names.folder, "logs", "control-plane.log"),
      });
      return new World({ names, config, controlPlane, removedBefore }, lock, cgroup, closeOnSignals);
    } catch (error) {
      await removeWorld(names);
      await lock.release();
      throw error;
    }
  }

  /** Makes pods; several at once are faster than one after the other. */
  addPods(...requests: PodRequest[]): Promise<Pod[]> {
    return this.work.do(() => this.makePods(requests));
  }

  private async makePods(requests: readonly PodRequest[]): Promise<Pod[]> {
    const pods = requests.map((request) => this.newPod(request));
    await addPodLinks(
      this.names,
      pods
        .filter(({ place }) => place.hostNetwork !== true)
        .map(({ place, ipv4, ipv6 }) => ({ ...place, ipv4, ipv6 })),
    );
    for (const [i, pod] of pods.entries()) {
      if (requests[i]?.cgroupLater !== true) await makeCgroup(pod.place.cgroup);
      this.pods.set(pod.name, pod);
    }
    await this.writeHosts(pods);
    return pods;
  }

  /** As the kubelet does before it starts anything of the pod. */
  makePodCgroup({ place }: Pod): Promise<void> {
    return this.work.do(() => makeCgroup(place.cgroup));
  }

  /** Ends a pod's programs and removes its namespace and cgroup. Its objects are the caller's to remove. */
  removePod(name: string): Promise<void> {
    const { place } = this.pod(name);
    this.pods.delete(name);
    return this.work.do(async () => {
      await removeCgroup(place.podCgroup);
      if (place.hostNetwork !== true) await removeNamespace(place.namespace);
    });
  }

  pod(name: string): Pod {
    const pod = this.pods.get(name);
    if (pod === undefined)
      throw new Error(
        `the world "${this.names.world}" has no pod "${name}", only ${[...this.pods.keys()].join(", ")}`,
      );
    return pod;
  }

  /** Gives a service its cluster addresses, and its names to every pod's hosts file. */
  addService(name: string, ports: readonly ServicePort[]): Promise<ServiceRecord> {
    const { ipv4, ipv6 } = serviceAddresses(this.services.size + 1);
    const service = { name, ports, addresses: [ipv4, ipv6] };
    this.services.set(name, service);
    return this.work.do(async () => {
      await this.writeHosts(this.pods.values());
      return service;
    });
  }

  /** Where the control plane and the appliers run: no program of a node serves callers here. */
  get systemCgroup(): string {
    return join(this.cgroup, "system");
  }

  /** Below which a node's pods are, once it has any. */
  nodeCgroup(node: number): string {
    return join(this.cgroup, this.names.node(node));
  }

  /** The node's applier, which may not run (yet). */
  applier(node = 1): Applier {
    const known = this.appliers.get(node);
    if (known !== undefined) return known;
    const name = this.names.node(node);
    const applier = new Applier({
      node: name,
      controlPlane: this.controlPlane.grpcAddress,
      cgroup: this.nodeCgroup(node),
      ownCgroup: this.systemCgroup,
      stateFolder: join(this.names.folder, "state"),
      runFolder: join(this.names.folder, "run"),
      logFile: join(this.names.folder, "logs", `${name}.log`),
    });
    this.appliers.set(node, applier);
    return applier;
  }

  startControlPlane(): Promise<void> {
    return this.work.do(() => this.controlPlane.start());
  }

  startApplier(node = 1, start?: ApplierStart): Promise<Applier> {
    return this.work.do(async () => {
      await makeCgroup(this.nodeCgroup(node));
      const applier = this.applier(node);
      await applier.start(start);
      return applier;
    });
  }

  /**
   * Resolves when all running appliers hold what the control plane has now, and know the cgroups of their pods.
   * @returns the version.
   */
  async settled(options?: SettledOptions): Promise<string> {
    const version = await settled(this.controlPlane, this.runningAppliers(), options);
    for (const applier of this.runningAppliers()) {
      const pods = [...this.pods.values()].filter(({ node }) => node === applier.node);
      await cgroupsFound(
        applier,
        pods.map(({ name }) => `default/${name}`),
      );
    }
    return version;
  }

  /**
   * Makes a change of the configuration that leads to another version, and waits until all running appliers hold it.
   * One change is one file: two files may be two versions, and this waits for one.
   * @returns the version.
   */
  async change(write: (config: ConfigFolder) => Promise<void>, options?: SettledOptions): Promise<string> {
    const { version } = await controlPlaneStatus(this.controlPlane);
    await write(this.config);
    return this.settled({ ...options, otherThan: version });
  }

  /** Ends everything and removes it. May be called again. */
  close(): Promise<void> {
    this.closing ??= this.remove();
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async remove(): Promise<void> {
    try {
      const workDone = this.work.end(`the world "${this.names.world}" is closed`);
      // Whoever waits for a process of ours sees that it is gone.
      await killProcesses(this.cgroup);
      await workDone;
      await removeWorld(this.names);
    } finally {
      await this.lock.release();
      this.stopListening();
    }
  }

  private runningAppliers(): Applier[] {
    return [...this.appliers.values()].filter(({ pid }) => pid !== undefined);
  }

  private newPod(request: PodRequest): Pod {
    const { name, node = 1 } = request;
    if (this.pods.has(name)) throw new Error(`the world "${this.names.world}" has a pod "${name}" already`);
    this.podsMade += 1;
    return podOf(request, this.podsMade, this.names, this.nodeCgroup(node));
  }

  /** One after the other: of two at once the older text could be written last, and lack a name from then on. */
  private writeHosts(pods: Iterable<Pod>): Promise<void> {
    this.hostsWritten = this.hostsWritten.catch(() => undefined).then(() => this.writeHostsNow(pods));
    return this.hostsWritten;
  }

  private async writeHostsNow(pods: Iterable<Pod>): Promise<void> {
    const entries: HostEntry[] = Array.from(this.services.values(), ({ name, addresses }) => ({
      names: serviceNames(name, "default", defaultDomain),
      addresses,
    }));
    const text = hostsFile(entries);
    for (const { place } of pods) {
      if (place.hostNetwork !== true) await writeHostsFile(place.namespace, text);
    }
  }
}
