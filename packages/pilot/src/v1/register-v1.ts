import type { PolicyIr } from "@keelson/protos";
import type { FastifyInstance, FastifyReply } from "fastify";
import { type Answer, V1Service, type V1ServiceOptions } from "./v1-service.ts";

const defaults: V1ServiceOptions = {
  age: "0.2",
  caching: true,
  maxCacheBytes: 256 * 1024 * 1024,
  warn: () => {},
};

const wrongMethod: Answer = {
  status: 405,
  type: "text/plain; charset=utf-8",
  body: "405: Method Not Allowed",
};

/**
 * Adds the v1 REST discovery of Pilot 0.2 to 0.7 to a server, for Envoys of that time.
 * @param policy the newest policy IR; undefined before there is one
 */
export function registerV1(
  server: FastifyInstance,
  policy: () => PolicyIr | undefined,
  options: Partial<V1ServiceOptions> = {},
): void {
  const service = new V1Service(policy, { ...defaults, ...options });
  // Service keys are longer than what the router takes for a parameter, so the path is read here.
  server.all("/v1/*", (request, reply) =>
    send(reply, request.method === "GET" ? service.answer(request.raw.url ?? "") : wrongMethod),
  );
  server.get("/cache_stats", (_, reply) => send(reply, service.statistics()));
  server.post("/cache_stats_delete", (_, reply) => {
    service.resetStatistics();
    return reply.send();
  });
}

const send = (reply: FastifyReply, { status, type, body }: Answer): FastifyReply =>
  reply.code(status).type(type).send(body);
