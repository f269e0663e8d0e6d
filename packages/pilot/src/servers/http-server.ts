import { debugPaths } from "@keelson/model";
import fastify, { type FastifyInstance } from "fastify";
import type { SecureServing } from "../ca/secure-serving.ts";
import type { ControlPlane } from "../control-plane.ts";
import { addKeelsonPages } from "../debug/keelson-pages.ts";
import type { DebugSettings } from "../settings/discovery-settings.ts";
import { buildText } from "../version.ts";
import { addMetrics, addReadiness, addVersion, isLoopback } from "./pages.ts";

const defaultDebug: DebugSettings = {
  onHttp: true,
  byNamespace: true,
  allowedNamespaces: [],
  admin: false,
  metricsForLocalhostOnly: false,
};

/** /ready, /metrics and /debug: Pilot's port 8080. */
export function httpServer(
  controlPlane: ControlPlane,
  settings: DebugSettings = defaultDebug,
): FastifyInstance {
  const server = newServer();
  addReadiness(server, controlPlane.readiness);
  addMetrics(server, controlPlane.metrics.registry, settings.metricsForLocalhostOnly);
  addDebug(server, controlPlane, settings);
  return server;
}

/** /metrics, /version and /debug: istiod's port 15014, and 9093 of Pilot 0.7. */
export function monitoringServer(
  controlPlane: ControlPlane,
  settings: DebugSettings = defaultDebug,
): FastifyInstance {
  const server = newServer();
  addMetrics(server, controlPlane.metrics.registry, settings.metricsForLocalhostOnly);
  addVersion(server, buildText);
  addDebug(server, controlPlane, settings);
  return server;
}

/** Pilot's port 15017, and 443 of its first ages: with TLS, whose certificate is renewed. */
export function webhookServer(controlPlane: ControlPlane, serving: SecureServing): FastifyInstance {
  const server = fastify({ ...serverOptions, https: serving.secureContext });
  serving.onChange(() => server.server.setSecureContext(serving.secureContext));
  const plain = server as unknown as FastifyInstance;
  answerAsGo(plain);
  addReadiness(plain, controlPlane.readiness);
  return plain;
}

const serverOptions = { logger: false, forceCloseConnections: true } as const;

function newServer(): FastifyInstance {
  const server = fastify(serverOptions);
  answerAsGo(server);
  return server;
}

function answerAsGo(server: FastifyInstance): void {
  // As Go's servers say it: istioctl looks for these words.
  server.setNotFoundHandler((_, reply) => reply.code(404).type("text/plain").send("404 page not found\n"));
}

/** In a scope of their own, so that its hook sees every request for one of them, however its path is written. */
function addDebug(server: FastifyInstance, controlPlane: ControlPlane, settings: DebugSettings): void {
  if (!settings.onHttp) return;
  server.register(async (scope) => {
    scope.addHook("onRequest", async (request, reply) => {
      if (isLoopback(request)) return;
      await reply.code(403).send({ error: "/debug answers callers on the same machine only" });
    });
    scope.get("/debug", () => ({ paths: Object.values(debugPaths) }));
    addKeelsonPages(scope, controlPlane);
  });
}
