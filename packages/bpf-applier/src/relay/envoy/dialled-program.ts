import { dialledObjectPath } from "@keelson/bpf/object";
import { type BpfLink, BpfMap, BpfObject } from "bpf-maps-native";
import { ownCgroup } from "./own-cgroup.ts";

/** Pins of the maps that it reads. */
export interface DialledPins {
  readonly relays: string;
  readonly origins: string;
}

/**
 * The program that answers a relay which asks for the original destination of a connection. It sees the sockets of this
 * process's cgroup, whose relay is started by it, and is gone when this process is.
 */
export class DialledProgram {
  private readonly object: BpfObject;
  private readonly link: BpfLink;

  private constructor(object: BpfObject, link: BpfLink) {
    this.object = object;
    this.link = link;
  }

  /** @throws BpfError if the kernel refuses it; Error if this process's cgroup is not found */
  static async attach(pins: DialledPins): Promise<DialledProgram> {
    const cgroup = await ownCgroup();
    const object = await BpfObject.open(dialledObjectPath);
    try {
      for (const [name, path] of Object.entries(pins)) {
        using map = BpfMap.openPinned(path as string);
        object.configureMap(name, { reuse: map });
      }
      await object.load();
      using program = object.program("keelson_dialled");
      return new DialledProgram(object, await program.attachCgroup(cgroup, "cgroup_getsockopt"));
    } catch (error) {
      object.close();
      throw error;
    }
  }

  close(): void {
    this.link.close();
    this.object.close();
  }
}
