import { dirname } from "node:path";
import type { World } from "../world/world.ts";
import type { DemoOptions } from "./arguments.ts";
import { asker } from "./requests.ts";
import { requestRuleName, ruleName } from "./rule.ts";
import { bold, dim } from "./show.ts";

/** What can be done with a demo that runs, by whoever looks at it. */
export function whatToTry(world: World, options: DemoOptions): string {
  const npm = `npm run demo -- ${options.world === "demo" ? "" : `--world ${options.world} `}`;
  const server = world.controlPlane.url;
  return `${bold("Try it by hand")}, in another terminal, as root:

   edit or remove ${world.config.file(ruleName)}
   ${dim("and see where the next pages go:")}
   ${npm}send 300

   ${npm}exec productpage-v1 node -e 'fetch("http://reviews:9080/").then(async (r) => console.log(await r.text()))'
   npm run keelson -- status --server ${server}
   npm run keelson -- explain reviews --server ${server}
   curl --unix-socket ${world.applier().adminSocket} http://applier/edges
${options.sockets === "off" ? "" : requestsToTry(world, npm)}
   logs are in ${world.names.folder}/logs

Ctrl-C ends the demo and removes all it made.`;
}

/** Pages open a connection for each request, and the first one of a connection is the relay's. */
function requestsToTry(world: World, npm: string): string {
  const { node, adminSocket } = world.applier();
  const runDir = dirname(adminSocket);
  return `
   edit or remove ${world.config.file(requestRuleName)}
   ${dim("and send requests on one connection, and see who has carried them:")}
   ${npm}exec ${asker} node --input-type=module -e 'for (let i = 0; i < 10; i++) console.log((await (await fetch("http://reviews:9080/" + (i % 2 ? "two" : "one"))).json()).pod)'
   .tools/node_modules/.bin/node packages/bpf-applier/dist/main.js --node ${node} status --run-dir ${runDir}
   npm run keelson -- observe -o wide -f --server ${world.controlPlane.url}
`;
}
