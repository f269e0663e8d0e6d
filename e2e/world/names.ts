import { join } from "node:path";
import { resourcePrefix } from "@keelson/model/names";

/** Below this folder every world has a folder of its own: configuration, logs, sockets. */
export const worldsFolder = "/run/keelson-worlds";

/** Files of a few bytes, which stay: one that is removed could be locked by one process and made anew by another. */
const locksFolder = "/run/lock/keelson-worlds";

/** Where iproute2 looks for files that stand in for those of /etc inside a namespace (ip-netns(8)). */
export const namespaceEtcFolder = "/etc/netns";

/** Where iproute2 keeps its network namespaces. */
export const namespaceFolder = "/run/netns";

/**
 * All names that a world gives to things of the machine. They are derived from the world's name alone, so that what a
 * killed world left behind can be found without a record.
 */
export class WorldNames {
  readonly world: string;
  /** Beginning of every name, as it is; the names of one world never begin with another's prefix and a dash. */
  readonly prefix: string;
  readonly folder: string;

  /** @throws Error if the name could not be told apart from a pod's, or is too long for a socket's path. */
  constructor(world: string) {
    if (!/^[a-z][a-z0-9]{0,23}$/.test(world)) {
      throw new Error(
        `a world's name has 1 to 24 lower-case letters and digits, a letter first; found "${world}"`,
      );
    }
    this.world = world;
    this.prefix = `${resourcePrefix}${world}`;
    this.folder = join(worldsFolder, world);
  }

  /** The namespace that holds the bridge between all pods. */
  get bridgeNamespace(): string {
    return `${this.prefix}-node`;
  }

  /** @throws Error if the pod's name is no DNS label, or the bridge's. */
  podNamespace(pod: string): string {
    if (!/^[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?$/.test(pod) || pod === "node") {
      throw new Error(`a pod's name is a DNS label of at most 42 characters and not "node"; found "${pod}"`);
    }
    return `${this.prefix}-${pod}`;
  }

  /** Name of the world's `index`th node (from 1), as in spec.nodeName. */
  node(index: number): string {
    return `${this.prefix}-${index}`;
  }

  /** Whether a namespace, or a node's folder of pins, is this world's. */
  owns(name: string): boolean {
    return name.startsWith(`${this.prefix}-`);
  }

  /** Is locked exactly as long as the world's owner lives. */
  get lockFile(): string {
    return join(locksFolder, this.world);
  }
}
