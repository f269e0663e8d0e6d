import { toJson } from "@bufbuild/protobuf";
import { debugPaths, suggest } from "@keelson/model";
import { EdgeSchema } from "@keelson/protos/telemetry";
import fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import type { ControlPlane } from "./control-plane.ts";
import { irView } from "./ir-view.ts";
import { programVersion } from "./version.ts";

/** Serves readiness, metrics and what can be looked at; the latter to this machine only. */
export function httpServer(controlPlane: ControlPlane): FastifyInstance {
  const server = fastify({ logger: false, forceCloseConnections: true });
  server.get("/ready", (_, reply) => {
    const { ready, waiting } = controlPlane.readiness;
    return reply.code(ready ? 200 : 503).send({ ready, waiting });
  });
  server.get("/version", () => programVersion);
  server.get("/metrics", async (_, reply) => {
    const { registry } = controlPlane.metrics;
    return reply.type(registry.contentType).send(await registry.metrics());
  });
  // In a scope of their own, so that its hook sees every request for one of them, however its path is written.
  server.register(async (scope) => addDebugPaths(scope, controlPlane));
  return server;
}

function addDebugPaths(server: FastifyInstance, controlPlane: ControlPlane): void {
  server.addHook("onRequest", async (request, reply) => {
    if (isLoopback(request.ip)) return;
    await reply.code(403).send({ error: "/debug answers callers on the same machine only" });
  });
  server.get("/debug", () => ({ paths: Object.values(debugPaths) }));
  server.get(debugPaths.status, () => controlPlane.status());
  server.get(debugPaths.nodes, () => controlPlane.status().nodes);
  server.get(debugPaths.ir, () => irView(controlPlane.snapshot));
  server.get(debugPaths.edges, () =>
    controlPlane.ledger.reports().map(({ node, takenAt, edges, uncounted }) => ({
      node,
      takenAt: takenAt.toISOString(),
      uncounted: uncounted.toString(),
      edges: edges.map((edge) => toJson(EdgeSchema, edge)),
    })),
  );
  server.get<{ Querystring: { service?: string } }>(
    debugPaths.explain,
    { schema: { querystring: { type: "object", properties: { service: { type: "string" } } } } },
    ({ query }, reply) => explain(controlPlane, query.service, reply),
  );
}

/** All services, or those of one name: a hostname, or its first parts. */
function explain(controlPlane: ControlPlane, service: string | undefined, reply: FastifyReply): unknown {
  const all = controlPlane.explanations();
  if (service === undefined) return all;
  const chosen = all.filter(({ hostname }) => hostname === service || hostname.startsWith(`${service}.`));
  if (chosen.length > 0) return chosen;
  const near = suggest(
    service,
    all.flatMap(({ hostname }) => [hostname, hostname.split(".")[0] ?? ""]),
  );
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  return reply.code(404).send({ error: `there is no service ${service}${hint}` });
}

const isLoopback = (ip: string): boolean =>
  ip === "::1" || ip.startsWith("127.") || ip.startsWith("::ffff:127.");
