export { checkNode, type NodeCheckOptions } from "./check-node.ts";
export { type CheckGroup, error, type Finding, type FindingState, ok, skipped, warning } from "./finding.ts";
