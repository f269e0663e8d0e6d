export { Applier } from "./applier.ts";
export type { ApplierOptions } from "./applier-options.ts";
export type { ApplierStatus } from "./applier-status.ts";
export { cgroup2Mount, PinFolder } from "./pins.ts";
export { hooks, uninstall } from "./programs.ts";
