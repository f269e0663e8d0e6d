import { toJson } from "@bufbuild/protobuf";
import { debugPaths, suggest } from "@keelson/model";
import { observePath } from "@keelson/model/observation";
import { EdgeSchema } from "@keelson/protos/telemetry";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { ControlPlane } from "../control-plane.ts";
import { irView } from "./ir-view.ts";
import { observePage } from "./observe-page.ts";

/** What Keelson tells beyond what Pilot's /debug tells; the command line reads it. */
export function addKeelsonPages(server: FastifyInstance, controlPlane: ControlPlane): void {
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
  server.get(observePath, (request, reply) => observePage(controlPlane.observations, request, reply));
  server.get<{ Querystring: { service?: string } }>(
    debugPaths.explain,
    { schema: { querystring: { type: "object", properties: { service: { type: "string" } } } } },
    ({ query }, reply) => explain(controlPlane, query.service, reply),
  );
}

/** All services, or those of one name: a hostname, or its first parts. */
async function explain(
  controlPlane: ControlPlane,
  service: string | undefined,
  reply: FastifyReply,
): Promise<unknown> {
  const all = controlPlane.hostnames();
  if (service === undefined) return controlPlane.explanations(all);
  const chosen = all.filter((hostname) => hostname === service || hostname.startsWith(`${service}.`));
  if (chosen.length > 0) return controlPlane.explanations(chosen);
  const near = suggest(
    service,
    all.flatMap((hostname) => [hostname, hostname.split(".")[0] ?? ""]),
  );
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  return reply.code(404).send({ error: `there is no service ${service}${hint}` });
}
