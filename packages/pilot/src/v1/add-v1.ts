import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import type { ControlPlane } from "../control-plane.ts";
import type { V1Settings } from "../settings/v1-settings.ts";
import { registerV1 } from "./register-v1.ts";

/** Adds the v1 REST API to the server of port 8080, unless it is not wanted. */
export function addV1(
  server: FastifyInstance,
  controlPlane: ControlPlane,
  { age, caching }: V1Settings,
  logger: Pick<Logger, "warn">,
): void {
  if (age === undefined) return;
  registerV1(server, () => controlPlane.state?.compiled.ir, {
    age,
    caching,
    warn: (message) => logger.warn(message),
  });
}
