import type { ServerResponse } from "node:http";
import { observationLines, observationOf, observationSilenceMs } from "@keelson/model/observation";
import type { NodeAgent } from "../node-agent.ts";

/** Answers with lines (`ObservationLine`) until whoever asked goes. What he does not read in time is lost, and counted. */
export function showRequests(agent: NodeAgent, query: URLSearchParams, response: ServerResponse): void {
  let missed = 0;
  let end: () => void;
  try {
    end = agent.observe(observationOf(query), (requests, lost) => {
      missed += lost;
      if (response.writableNeedDrain) {
        missed += requests.length;
        return;
      }
      response.write(observationLines("", requests, missed));
      missed = 0;
    });
  } catch (error) {
    const body = JSON.stringify({ error: (error as Error).message });
    response.writeHead(400, { "content-type": "application/json" }).end(`${body}\n`);
    return;
  }
  response.writeHead(200, { "content-type": "application/x-ndjson" }).flushHeaders();
  const heartbeat = setInterval(
    () => response.writableNeedDrain || response.write("\n"),
    observationSilenceMs,
  );
  response.once("close", () => {
    clearInterval(heartbeat);
    end();
  });
}
