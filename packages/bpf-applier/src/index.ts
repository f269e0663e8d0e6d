export { Applier, type ApplierOptions, type ApplierStatus } from "./applier.ts";
export { cgroup2Mount, PinFolder } from "./pins.ts";
export { hooks, uninstall } from "./programs.ts";
