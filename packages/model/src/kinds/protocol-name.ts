import { z } from "zod";

const names = new Set([
  "GRPC",
  "GRPC-WEB",
  "HTTP",
  "HTTP_PROXY",
  "HTTP2",
  "HTTPS",
  "MONGO",
  "MYSQL",
  "REDIS",
  "TCP",
  "TLS",
  "UDP",
]);

/** A protocol as Istio's ports name it, in any case; empty where the proxy is to find out. */
export const istioProtocol = z
  .string()
  .refine((text) => text === "" || names.has(text.toUpperCase()), `is none of ${[...names].join(", ")}`);
