export { ControlPlane, type ControlPlaneOptions } from "./control-plane.ts";
export { httpServer } from "./http-server.ts";
export { parseListenAddress } from "./listen-address.ts";
