import { type Command, operandsOf } from "./command.ts";

/** An answer that does not come within this time, in ms, does not come. */
const patienceMs = 60_000;

/**
 * `request`: asks the control plane that runs here.
 * @param address where it answers, as host:port
 */
export function requestCommand(address: string): Command {
  return {
    name: "request",
    summary: `Asks the control plane at ${address} for a page, and prints it.`,
    operands: "METHOD PATH [BODY]",
    flagGroups: {},
    examples: ["pilot-discovery request GET /debug/syncz", "pilot-discovery request GET /metrics"],
    run: async (args, { out }) => {
      const usage = "pilot-discovery request METHOD PATH [BODY]";
      const [method = "", path = "", body] = operandsOf(args, usage, 2, 3);
      out(await ask(`http://${address}/${path.replace(/^\//, "")}`, method.toUpperCase(), body));
      return 0;
    },
  };
}

/** @returns the answer's body, also of one that says that there is no such page, as Pilot's does it */
async function ask(url: string, method: string, body: string | undefined): Promise<string> {
  const request = {
    method,
    signal: AbortSignal.timeout(patienceMs),
    ...(body === undefined ? {} : { body }),
  };
  const response = await fetch(url, request).catch((error: Error) => {
    const { message } = (error.cause ?? error) as Error;
    throw new Error(`cannot ask ${url}: ${message}`, { cause: error });
  });
  const text = await response.text();
  if (response.ok || response.status === 404) return `${text}\n`;
  throw new Error(`${url} answers ${response.status}: ${text.trim()}`);
}
