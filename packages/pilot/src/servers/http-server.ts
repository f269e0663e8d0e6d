import fastify, { type FastifyInstance } from "fastify";
import type { Logger } from "pino";
import { addInjection } from "../admission/add-injection.ts";
import { addValidation } from "../admission/add-validation.ts";
import type { SecureServing } from "../ca/secure-serving.ts";
import type { ControlPlane } from "../control-plane.ts";
import { addDebug } from "../debug/http.ts";
import { buildText } from "../version.ts";
import { addMetrics, addReadiness, addVersion } from "./pages.ts";

/** /ready, /metrics and /debug: Pilot's port 8080. */
export function httpServer(controlPlane: ControlPlane): FastifyInstance {
  const server = newServer();
  addReadiness(server, controlPlane.readiness);
  addControlPlaneMetrics(server, controlPlane);
  addDebug(server, controlPlane);
  return server;
}

/** /metrics, /version and /debug: istiod's port 15014, and 9093 of Pilot 0.7. */
export function monitoringServer(controlPlane: ControlPlane): FastifyInstance {
  const server = newServer();
  addControlPlaneMetrics(server, controlPlane);
  addVersion(server, buildText);
  addDebug(server, controlPlane);
  return server;
}

/** Pilot's port 15017, and 443 of its first ages: with TLS, whose certificate is renewed. */
export function webhookServer(
  controlPlane: ControlPlane,
  serving: SecureServing,
  log: Logger,
): FastifyInstance {
  const server = fastify({
    ...serverOptions,
    https: { ...serving.secureContext, handshakeTimeout, ...headTimes },
  });
  serving.onChange(() => server.server.setSecureContext(serving.secureContext));
  const plain = server as unknown as FastifyInstance;
  answerAsGo(plain);
  addReadiness(plain, controlPlane.readiness);
  addValidation(plain, controlPlane.metrics.validation);
  addInjection(plain, controlPlane.metrics.injection, log);
  return plain;
}

function addControlPlaneMetrics(server: FastifyInstance, { metrics, debug }: ControlPlane): void {
  addMetrics(server, metrics.registry, debug.settings.metricsForLocalhostOnly);
}

/** Times in ms: a caller has as long for a request as with istiod, and less than Node would give it for the rest. */
const serverOptions = { logger: false, forceCloseConnections: true, requestTimeout: 30_000 } as const;
const handshakeTimeout = 10_000;
const headTimes = { headersTimeout: 10_000, connectionsCheckingInterval: 1_000 };

function newServer(): FastifyInstance {
  const server = fastify({ ...serverOptions, http: headTimes });
  answerAsGo(server);
  return server;
}

function answerAsGo(server: FastifyInstance): void {
  // As Go's servers say it: istioctl looks for these words.
  server.setNotFoundHandler((_, reply) => reply.code(404).type("text/plain").send("404 page not found\n"));
}
