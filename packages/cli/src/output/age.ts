const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

/** Ages below `below` seconds are told in `unit`, and in `rest` too where it is given and not 0. */
interface Step {
  readonly below: number;
  readonly unit: readonly [seconds: number, sign: string];
  readonly rest?: readonly [seconds: number, sign: string];
}

/** As Kubernetes' duration.HumanDuration has them (k8s.io/apimachinery, pkg/util/duration). */
const steps: readonly Step[] = [
  { below: 2 * minute, unit: [1, "s"] },
  { below: 10 * minute, unit: [minute, "m"], rest: [1, "s"] },
  { below: 3 * hour, unit: [minute, "m"] },
  { below: 8 * hour, unit: [hour, "h"], rest: [minute, "m"] },
  { below: 2 * day, unit: [hour, "h"] },
  { below: 8 * day, unit: [day, "d"], rest: [hour, "h"] },
  { below: 2 * year, unit: [day, "d"] },
  { below: 8 * year, unit: [year, "y"], rest: [day, "d"] },
  { below: Number.POSITIVE_INFINITY, unit: [year, "y"] },
];

/** How long ago `since` (ISO 8601) is, as kubectl prints ages: 5s, 3m20s, 2h. What a wrong clock puts into the future is 0s. */
export function age(since: string, now: Date): string {
  const seconds = Math.max(0, Math.floor((now.getTime() - Date.parse(since)) / 1000));
  const step = steps.find(({ below }) => seconds < below);
  if (step === undefined) return "unknown";
  const [size, sign] = step.unit;
  const text = `${Math.floor(seconds / size)}${sign}`;
  if (step.rest === undefined) return text;
  const [restSize, restSign] = step.rest;
  const rest = Math.floor((seconds % size) / restSize);
  return rest === 0 ? text : `${text}${rest}${restSign}`;
}
