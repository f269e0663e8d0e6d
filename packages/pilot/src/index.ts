export { ControlPlane, type ControlPlaneOptions } from "./control-plane.ts";
export { httpServer } from "./servers/http-server.ts";
