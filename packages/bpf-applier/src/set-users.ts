import type { Service } from "@keelson/protos/policy";
import { setsOfPort } from "./service-table.ts";

/** Which services refer to an endpoint set. */
export class SetUsers {
  /** Endpoint set → hostnames. */
  private readonly users = new Map<string, Set<string>>();

  of(set: string): Iterable<string> {
    return this.users.get(set) ?? [];
  }

  /** @param before what the service was; undefined: it is new. `after` undefined: it is gone */
  replace(hostname: string, before: Service | undefined, after: Service | undefined): void {
    for (const name of setsOf(before)) {
      const users = this.users.get(name);
      users?.delete(hostname);
      if (users?.size === 0) this.users.delete(name);
    }
    for (const name of setsOf(after)) {
      const users = this.users.get(name) ?? new Set();
      this.users.set(name, users.add(hostname));
    }
  }
}

/** Names of the endpoint sets that a service refers to. */
export const setsOf = (service: Service | undefined): string[] => service?.ports.flatMap(setsOfPort) ?? [];
