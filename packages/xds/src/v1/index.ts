export type { Age } from "./age.ts";
export { UnknownRouteError, V1Discovery } from "./discovery.ts";
export { goJson } from "./go-json.ts";
export { parseServiceNode, type ServiceNode, ServiceNodeError } from "./service-node.ts";
