export {
  checkInstalledNode,
  checkNode,
  type InstalledNodeOptions,
  type NodeCheckOptions,
} from "./check-node.ts";
