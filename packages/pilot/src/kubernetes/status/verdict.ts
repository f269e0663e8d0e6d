/** What is said of an object, before it is known when that began to be so. */
export interface Verdict {
  /** "Accepted" */
  readonly type: string;
  readonly status: "True" | "False";
  /** "NoMatchingParent" */
  readonly reason: string;
  readonly message: string;
}

/** A verdict in a status of Kubernetes, of whoever wrote it. */
export interface Condition extends Omit<Verdict, "status"> {
  /** Also "Unknown". */
  readonly status: string;
  /** The generation of the object that it is about. */
  readonly observedGeneration?: number | undefined;
  /** RFC 3339: since when the status is what it is. */
  readonly lastTransitionTime: string;
}

/** Kubernetes' own bound of a condition's message. */
const longestMessage = 1024;

export const yes = (type: string, reason: string, message: string): Verdict => ({
  type,
  status: "True",
  reason,
  message,
});

export const no = (type: string, reason: string, message: string): Verdict => ({
  type,
  status: "False",
  reason,
  message: message.length > longestMessage ? `${message.slice(0, longestMessage - 3)}...` : message,
});

/**
 * Verdicts as conditions, sorted by type; conditions of other types stay.
 * @param before what stands there
 * @param now RFC 3339
 */
export function conditionsOf(
  verdicts: readonly Verdict[],
  generation: number,
  before: readonly Condition[],
  now: string,
): Condition[] {
  const own = new Set(verdicts.map(({ type }) => type));
  const fresh = verdicts.map((verdict): Condition => {
    const old = before.find(({ type }) => type === verdict.type);
    const lastTransitionTime = old?.status === verdict.status ? old.lastTransitionTime : now;
    return { ...verdict, observedGeneration: generation, lastTransitionTime };
  });
  return [...before.filter(({ type }) => !own.has(type)), ...fresh].sort((a, b) =>
    a.type < b.type ? -1 : 1,
  );
}

/** Whether conditions say the verdicts, of the object as it is. */
export const say = (
  conditions: readonly Condition[],
  verdicts: readonly Verdict[],
  generation: number,
): boolean =>
  verdicts.every(({ type, status, reason, message }) =>
    conditions.some(
      (condition) =>
        condition.type === type &&
        condition.status === status &&
        condition.reason === reason &&
        condition.message === message &&
        condition.observedGeneration === generation,
    ),
  );
