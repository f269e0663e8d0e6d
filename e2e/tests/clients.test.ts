import { describe, expect, test } from "vitest";
import { callers } from "../clients/callers/index.ts";
import { servers } from "../clients/servers/server.ts";
import { partText, runSuite } from "../clients/suite.ts";
import { missingForKernel } from "../world/requirements.ts";

const missing = await missingForKernel();

/** Those that start at once; npm run e2e -- clients has the others, too. */
const quick = callers.filter(({ name }) => ["curl", "Node fetch", "Python requests"].includes(name));
const node = servers.filter(({ name }) => name === "Node");

describe("[kernel] unchanged clients", () => {
  test("do everything natively and by a rule's name alike", { timeout: 120_000 }, async (context) => {
    context.skip(missing.length > 0, `needs ${missing.join("; ")}`);
    const { parts, absent } = await runSuite(
      "clientstest",
      { callers: quick, servers: node },
      () => undefined,
    );
    const wrong = parts.filter(({ outcomes }) => outcomes.some(({ trouble }) => trouble !== undefined));
    expect(wrong.map(partText)).toEqual([]);
    // Each on both ways, but for those that a minimal machine has not; Node is everywhere.
    expect(parts.length).toBe(2 * (quick.length - absent.length));
    expect(parts.some(({ caller }) => caller === "Node fetch")).toBe(true);
  });
});
