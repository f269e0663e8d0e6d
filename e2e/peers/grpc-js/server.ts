import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import { XdsServer, XdsServerCredentials } from "@grpc/grpc-js-xds";
import { echoService, field, type Message } from "./echo-service.ts";

export interface ServerArguments {
  /** What it calls itself in its answers. */
  readonly name: string;
  /** IP:port; an xDS server cannot choose the port itself. */
  readonly listen: string;
  /** Take the listener's configuration from xDS. */
  readonly xds: boolean;
}

/** Serves until the process ends. */
export async function runServer({ name, listen, xds }: ServerArguments): Promise<void> {
  const server = xds ? new XdsServer() : new Server();
  server.addService(echoService, {
    say: (call: ServerUnaryCall<Message, Message>, answer: sendUnaryData<Message>) =>
      answer(null, { [field.replyServer]: name, [field.replyText]: call.request[field.requestText] ?? "" }),
  });
  const insecure = ServerCredentials.createInsecure();
  const bound = bind(server, listen, xds ? new XdsServerCredentials(insecure) : insecure);
  // It takes listeners only for an address that it was told to bind.
  if (server instanceof XdsServer) {
    server.addServingStateListener(listen, ({ code, details }) =>
      print({ serving: code === status.OK, reason: details }),
    );
  }
  const port = await bound;
  print({ listening: `${listen.slice(0, listen.lastIndexOf(":"))}:${port}` });
}

function bind(server: Server, listen: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(listen, credentials, (error, port) => (error ? reject(error) : resolve(port)));
  });
}

function print(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
