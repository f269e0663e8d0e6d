import { PassThrough } from "node:stream";
import {
  type ObservationLine,
  observationLines,
  observationOf,
  observationSilenceMs,
} from "@keelson/model/observation";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ObservationHub } from "../telemetry/observation-hub.ts";

/**
 * Answers with lines (`ObservationLine`) until whoever asked goes, or no node is left that tells: of `?node=`, or of all that are
 * connected. What is not read in time is lost, and counted.
 */
export function observePage(hub: ObservationHub, request: FastifyRequest, reply: FastifyReply): unknown {
  const query = new URL(request.url, "http://localhost").searchParams;
  const named = query.get("node") ?? "";
  const nodes = new Set(named === "" ? hub.nodes() : [named]);
  const lines = new PassThrough();
  let missed = 0;
  let end: () => void;
  try {
    if (nodes.size === 0) throw new RangeError("no node is connected to this control plane");
    end = hub.observe([...nodes], observationOf(query), {
      onRequests: (node, requests, lost) => {
        missed += lost;
        if (lines.writableNeedDrain) {
          missed += requests.length;
          return;
        }
        lines.write(observationLines(node, requests, missed));
        missed = 0;
      },
      onEnded: (node, ended) => {
        const line: ObservationLine = { node, ended };
        lines.write(`${JSON.stringify(line)}\n`);
        nodes.delete(node);
        if (nodes.size === 0) lines.end();
      },
    });
  } catch (error) {
    return reply.code(404).send({ error: (error as Error).message });
  }
  const heartbeat = setInterval(() => lines.writableNeedDrain || lines.write("\n"), observationSilenceMs);
  reply.raw.once("close", () => {
    clearInterval(heartbeat);
    end();
    lines.destroy();
  });
  lines.write("\n"); // the head of the answer leaves with it
  return reply.type("application/x-ndjson").send(lines);
}
