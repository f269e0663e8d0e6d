import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Registry } from "prom-client";
import type { Readiness } from "../readiness.ts";

/** /ready: 200 or 503, what is waited for, and what does not work although the program is ready. */
export function addReadiness(server: FastifyInstance, readiness: Readiness): void {
  server.get("/ready", (_, reply) => {
    const { ready, waiting, problems } = readiness;
    return reply.code(ready ? 200 : 503).send({ ready, waiting, problems });
  });
}

/** @param localhostOnly whether callers on other machines are refused */
export function addMetrics(server: FastifyInstance, registry: Registry, localhostOnly: boolean): void {
  server.get("/metrics", async (request, reply) => {
    if (localhostOnly && !isLoopback(request)) {
      return reply.code(403).type("text/plain").send("Only requests from localhost are allowed\n");
    }
    return reply.type(registry.contentType).send(await registry.metrics());
  });
}

/** @param version "version-revision-status" */
export function addVersion(server: FastifyInstance, version: string): void {
  server.get("/version", (_, reply) => reply.type("text/plain; charset=utf-8").send(version));
}

/** Whether the caller is on this machine. */
export const isLoopback = ({ ip }: Pick<FastifyRequest, "ip">): boolean =>
  ip === "::1" || ip.startsWith("127.") || ip.startsWith("::ffff:127.");
