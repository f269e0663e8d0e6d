import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { callers } from "../clients/callers/index.ts";
import { ClientsWorld, ways } from "../clients/clients-world.ts";
import { servers } from "../clients/servers/server.ts";
import { partText, runPart } from "../clients/suite.ts";
import { missingForKernel } from "../world/requirements.ts";

const missing = await missingForKernel();

/** Those that start at once; npm run e2e -- clients has the others, too, and more servers. */
const quick = callers.filter(({ name }) => ["curl", "Node fetch", "Python requests"].includes(name));
const node = servers.filter(({ name }) => name === "Node");

describe("[kernel] unchanged clients do everything alike, natively and by a rule", () => {
  let clients: ClientsWorld;

  beforeAll(async () => {
    if (missing.length === 0) clients = await ClientsWorld.open("clientstest", node);
  });
  afterAll(async () => {
    if (missing.length === 0) await clients.world.close();
  });

  for (const caller of quick) {
    test(caller.name, async (context) => {
      const reason = missing.length > 0 ? `needs ${missing.join("; ")}` : await caller.missing();
      context.skip(reason !== undefined, reason);
      for (const server of node)
        for (const way of ways) {
          const part = await runPart(clients, caller, server, way);
          expect(part.outcomes.length).toBeGreaterThan(0);
          expect(
            part.outcomes.filter(({ trouble }) => trouble !== undefined),
            partText(part),
          ).toEqual([]);
        }
    });
  }
});
