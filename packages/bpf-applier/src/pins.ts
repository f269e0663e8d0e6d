import { mkdir, readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { layoutHash } from "@keelson/bpf";
import { bpffsFolder, isNodeName } from "@keelson/model/names";
import { mountBpffs } from "bpf-maps-native";
import { mountOf } from "./mount-table.ts";

/**
 * Where cgroup v2 is mounted; beside v1 controllers that is a sub-folder.
 * @throws Error saying how to mount it.
 */
export async function cgroup2Mount(): Promise<string> {
  const path = await mountOf("cgroup2");
  if (path === undefined) {
    throw new Error("cgroup v2 is not mounted; mount it: mount -t cgroup2 none /sys/fs/cgroup");
  }
  return path;
}

/**
 * The bpffs mount; mounted at its usual place if there is none.
 * @throws BpfError if that is not possible.
 */
export async function bpffsMount(): Promise<string> {
  const usual = "/sys/fs/bpf";
  const path = await mountOf("bpf");
  if (path !== undefined) return path;
  mountBpffs(usual);
  return usual;
}

/** Where one node's maps and links are pinned. */
export class PinFolder {
  readonly path: string;
  private readonly mapsName = `maps-${layoutHash}`;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes the folders, readable by root alone: who can open the maps can steer traffic. */
  static async create(node: string): Promise<PinFolder> {
    const folder = await PinFolder.find(node);
    await mkdir(join(folder.path, folder.mapsName), { recursive: true, mode: 0o700 });
    await mkdir(join(folder.path, "links"), { recursive: true, mode: 0o700 });
    return folder;
  }

  /** As find, but undefined where no bpffs is mounted, which would otherwise be done. */
  static async findMounted(node: string): Promise<PinFolder | undefined> {
    return (await mountOf("bpf")) === undefined ? undefined : PinFolder.find(node);
  }

  /** As create, but makes no folder. */
  static async find(node: string): Promise<PinFolder> {
    if (!isNodeName(node)) {
      throw new Error(
        `node name "${node}" is not a DNS subdomain (RFC 1123): lower-case letters, digits, "-" and "."`,
      );
    }
    // bpffs refuses names with dots; an underscore is in no node name, so two nodes never share a folder.
    return new PinFolder(join(await bpffsMount(), bpffsFolder, node.replaceAll(".", "_")));
  }

  /** The folder's name holds a hash of all layouts, so that two versions never share a map of another shape. */
  map(name: string): string {
    return join(this.path, this.mapsName, name);
  }

  /** Where all maps are, and the program by which the relay works on some of them. */
  get mapFolder(): string {
    return join(this.path, this.mapsName);
  }

  link(program: string): string {
    return join(this.path, "links", program);
  }

  async links(): Promise<string[]> {
    return readdir(join(this.path, "links")).catch(() => []);
  }

  /** Folders with maps of other versions, whose layouts are not this one's. */
  async otherLayouts(): Promise<string[]> {
    const names = await readdir(this.path).catch(() => []);
    return names
      .filter((name) => name.startsWith("maps-") && name !== this.mapsName)
      .map((name) => join(this.path, name));
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    // Only the last node takes the common folder away.
    await rmdir(join(this.path, "..")).catch(() => undefined);
  }
}
