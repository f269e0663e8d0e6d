import { missingPrograms } from "../missing-program.ts";
import { runThere } from "../place.ts";
import type { Caller } from "./caller.ts";

const step = "requests without end on 32 connections, for a second";

/** Sends GET requests and looks at no more than the status: one step of its own. */
export const wrk: Caller = {
  name: "wrk",
  missing: () => missingPrograms("Debian package wrk", "wrk"),
  async run(place, base) {
    const command = ["wrk", "-t", "2", "-c", "32", "-d", "1s", `${base}/bytes/128`] as const;
    const told = await runThere(place, command);
    const bad = /^ *(Socket errors|Non-2xx or 3xx responses):.*$/m.exec(told)?.[0].trim();
    const requests = Number(/^ *(\d+) requests in/m.exec(told)?.[1] ?? 0);
    const trouble = bad ?? (requests > 0 ? undefined : `no answers: ${told}`);
    return [{ step, ...(trouble === undefined ? {} : { trouble }) }];
  },
};
