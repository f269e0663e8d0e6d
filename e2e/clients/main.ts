// npm run e2e -- clients: unchanged clients and servers, natively and through the mesh.
import { parseArgs } from "node:util";
import { requirePeer } from "../peers/peer-cache.ts";
import type { ApplierStart } from "../world/applier.ts";
import { missingForKernel } from "../world/requirements.ts";
import { callers } from "./callers/index.ts";
import { servers } from "./servers/server.ts";
import { runSuite } from "./suite.ts";

const usage = `usage: npm run e2e -- clients [options]

${callers.map(({ name }) => name).join(", ")} do one list of things with
${servers.map(({ name }) => name).join(", ")}: natively, then by the name of a service whose rule shares out connections,
then where it shares out requests.

  --caller NAME  only this one
  --server NAME  only this one
  --relay WHICH  what shares out requests: builtin (default) or envoy
  --sockets MODE what nodes do with callers' sockets: off, count, switch or queue (default: switch); off with an Envoy
  --help         this text
`;

const { values } = parseArgs({
  options: {
    caller: { type: "string" },
    server: { type: "string" },
    relay: { type: "string", default: "builtin" },
    sockets: { type: "string", default: "switch" },
    help: { type: "boolean", short: "h", default: false },
  },
});

const named = <T extends { readonly name: string }>(
  all: readonly T[],
  name: string | undefined,
): readonly T[] => (name === undefined ? all : all.filter((one) => one.name === name));

function socketsOf(mode: string): Pick<ApplierStart, "sockets"> {
  if (mode === "off") return {};
  if (mode !== "count" && mode !== "switch" && mode !== "queue")
    throw new Error(`--sockets: off, count, switch or queue; found ${JSON.stringify(mode)}`);
  return { sockets: mode };
}

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const wanted = { callers: named(callers, values.caller), servers: named(servers, values.server) };
  if (wanted.callers.length === 0 || wanted.servers.length === 0) {
    process.stderr.write(`there is no such caller or server\n\n${usage}`);
    return 2;
  }
  const missing = await missingForKernel();
  if (missing.length > 0) {
    process.stderr.write(`this machine lacks ${missing.join("; ")}\n`);
    return 1;
  }
  const say = (text: string): boolean => process.stdout.write(`${text}\n`);
  const relay: ApplierStart =
    values.relay === "envoy"
      ? { relay: "envoy", envoy: (await requirePeer("envoy")).program }
      : { relay: "builtin", ...socketsOf(values.sockets) };
  const { parts, absent } = await runSuite("clients", wanted, say, relay);
  for (const { name, reason } of absent) process.stdout.write(`${name} left out: ${reason}\n`);
  const outcomes = parts.flatMap((part) => part.outcomes);
  const wrong = outcomes.filter(({ trouble }) => trouble !== undefined).length;
  process.stdout.write(`${outcomes.length} steps, ${wrong} wrong\n`);
  return wrong === 0 ? 0 : 1;
}

process.exitCode = await main();
