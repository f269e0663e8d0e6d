/** Who leads, in the form of Kubernetes' own leader elections, with the key that Istio adds. */
export interface LeaderRecord {
  /** Empty: nobody. */
  readonly holderIdentity: string;
  /** The holder's revision, by which another one may go first; empty for a lock of one revision. */
  readonly holderKey: string;
  readonly leaseDurationSeconds: number;
  /** RFC 3339, in whole seconds. */
  readonly acquireTime: string;
  readonly renewTime: string;
  /** How often the holder has changed. */
  readonly leaderTransitions: number;
}

export interface Holder {
  readonly identity: string;
  readonly key: string;
  readonly leaseMs: number;
}

/** @param before what the lock says; undefined: there is none yet */
export function taken(before: LeaderRecord | undefined, { identity, key, leaseMs }: Holder): LeaderRecord {
  const now = wholeSeconds(new Date());
  const stays = before?.holderIdentity === identity;
  return {
    holderIdentity: identity,
    holderKey: key,
    leaseDurationSeconds: Math.ceil(leaseMs / 1000),
    acquireTime: stays ? before.acquireTime : now,
    renewTime: now,
    leaderTransitions: before === undefined ? 0 : before.leaderTransitions + (stays ? 0 : 1),
  };
}

/** What a holder writes that gives up its lock: whoever looks next may take it. */
export function released({ leaderTransitions }: LeaderRecord): LeaderRecord {
  const now = wholeSeconds(new Date());
  return {
    holderIdentity: "",
    holderKey: "",
    leaseDurationSeconds: 1,
    acquireTime: now,
    renewTime: now,
    leaderTransitions,
  };
}

const wholeSeconds = (date: Date): string => `${date.toISOString().slice(0, -".000Z".length)}Z`;
