import { isIP } from "node:net";
import type { Age } from "./age.ts";

/** A proxy as it names itself in its requests: type~ip~id~domain. */
export interface ServiceNode {
  /** sidecar, ingress, egress; 0.2 takes others, too, and has nothing for them. */
  readonly type: string;
  readonly address: string;
  /** "pod.namespace" */
  readonly id: string;
  /** Suffix of the short names that its workload uses ("default.svc.cluster.local"). */
  readonly domain: string;
}

export class ServiceNodeError extends Error {
  override readonly name = "ServiceNodeError";
}

const types07 = ["sidecar", "ingress", "router"];

/** Errors repeat what was found, but not all of a name that someone made long. */
const shown = (text: string): string => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);

/** @throws ServiceNodeError where Pilot of this age refuses the name */
export function parseServiceNode(text: string, age: Age): ServiceNode {
  const parts = text.split("~");
  const [type = "", address = "", id = "", domain = ""] = parts;
  if (parts.length !== 4) {
    throw new ServiceNodeError(
      `missing parts in the service node ${shown(text)}: it has ${parts.length}, and type~ip~id~domain has 4`,
    );
  }
  if (age === "0.7") {
    if (!types07.includes(type)) {
      throw new ServiceNodeError(
        `invalid node type ${shown(type)} in the service node (valid types: ${types07.join(", ")})`,
      );
    }
    if (type === "sidecar" && isIP(address) === 0) {
      throw new ServiceNodeError(`invalid IP address ${shown(address)} in the service node`);
    }
  }
  return { type, address, id, domain };
}
