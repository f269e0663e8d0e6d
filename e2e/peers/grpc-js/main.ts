// An echo client and an echo server on grpc-js; e2e/peers/echo.ts starts it and says what the arguments and the lines
// on its standard input and output mean.
import { parseArgs } from "node:util";
import { register } from "@grpc/grpc-js-xds";
import { runClient } from "./client.ts";
import { runServer } from "./server.ts";

// The xds: resolver.
register();

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    target: { type: "string", default: "" },
    name: { type: "string", default: "" },
    listen: { type: "string", default: "127.0.0.1:0" },
    xds: { type: "boolean", default: false },
  },
});
const [role] = positionals;
if (role === "client") await runClient(values.target);
else if (role === "server") await runServer(values);
else throw new Error(`usage: client|server …; found "${role}"`);
