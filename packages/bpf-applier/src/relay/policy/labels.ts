import type { Label } from "@keelson/protos/policy";

/** Whether a workload has all of these labels. */
export const includesLabels = (labels: readonly Label[], wanted: Readonly<Record<string, string>>): boolean =>
  Object.entries(wanted).every(([key, value]) =>
    labels.some((label) => label.key === key && label.value === value),
  );
