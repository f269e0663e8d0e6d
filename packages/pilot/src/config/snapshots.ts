import { differingKeys, isSameMap } from "@keelson/model";
import type { PolicyIr, ResourceSnapshot } from "@keelson/protos";
import type { PolicySnapshot } from "@keelson/xds/proxies";

type Resources = ResourceSnapshot["resources"];

/** What the compiler makes of a model, for kernel nodes and for proxies, and what stands beside it. */
type Policy = Omit<PolicySnapshot, "version">;

/** Numbers what the compiler makes: a new version only if something differs. */
export class Snapshots {
  private current: PolicySnapshot | undefined;
  private readonly first: bigint;

  /**
   * @param first the first version. Taken from the clock by the caller, so that versions go on growing when the
   * program restarts.
   */
  constructor(first: bigint) {
    this.first = first;
  }

  get version(): bigint {
    return this.current?.version ?? 0n;
  }

  get resources(): Resources {
    return this.current?.resources ?? new Map();
  }

  /**
   * @param policy its credentials are the same object as before if nothing of them differs
   * @returns the new snapshot, or undefined if nothing differs from the current one.
   */
  next({ resources, ir, credentials }: Policy): PolicySnapshot | undefined {
    const { current } = this;
    const isSame =
      current?.credentials === credentials &&
      sameResources(current.resources, resources) &&
      sameIr(current.ir, ir);
    if (isSame) return undefined;
    const version = current === undefined ? this.first : current.version + 1n;
    this.current = { version, resources, ir, credentials };
    return this.current;
  }
}

function sameResources(a: Resources, b: Resources): boolean {
  if (a.size !== b.size) return false;
  for (const [typeUrl, these] of a) {
    const those = b.get(typeUrl);
    if (those === undefined || those.size !== these.size) return false;
    for (const name of differingKeys(these, those)) {
      const [one, other] = [these.get(name), those.get(name)];
      if (one === undefined || other?.version !== one.version || other.node !== one.node) return false;
    }
  }
  return true;
}

const sameIr = (a: PolicyIr, b: PolicyIr): boolean => partsThatDiffer(a, b).length === 0;

/** Whether nothing else than endpoints and workloads differs. */
export const onlyEndpointsDiffer = (a: PolicyIr, b: PolicyIr): boolean =>
  partsThatDiffer(a, b).every((part) => part === "endpointSets" || part === "workloads");

/** Messages that did not change are the same objects; their order counts as well. */
function partsThatDiffer(
  { mesh: a, ...these }: PolicyIr,
  { mesh: b, ...those }: PolicyIr,
): (keyof PolicyIr)[] {
  const parts = Object.keys(these) as (keyof typeof these)[];
  const differing = parts.filter((part) => !isSameMap(these[part], those[part]));
  return a === b ? differing : ["mesh", ...differing];
}
