import type { ServicePort } from "@keelson/model";

const requestProtocols = new Set(["http", "http_proxy", "http2", "grpc", "grpc-web"]);

/** Whether the port says that it speaks HTTP, whatever the version. */
export const isHttp = ({ protocol }: ServicePort): boolean => requestProtocols.has(protocol);
