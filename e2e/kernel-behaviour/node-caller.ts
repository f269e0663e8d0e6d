// A caller in Node: connects, says by which port, and at a line on its input writes so many bytes. Says when they are written.
// Usage: node node-caller.ts NAMESPACE ADDRESS PORT; a line is HEX, the request's head, and the length of its body.
import { Socket } from "node:net";
import { createInterface } from "node:readline";
import { connectInNamespace } from "bpf-maps-native";

const [namespace, address = "", port = ""] = process.argv.slice(2);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

let socket: Socket | undefined;
createInterface(process.stdin).on("line", (line) => {
  if (socket === undefined) void connect();
  else write(socket, line);
});

/** Only now: the process is in its cgroup. */
async function connect(): Promise<void> {
  socket = new Socket({ fd: await connectInNamespace(namespace, { address, port: Number(port) }) });
  say(`${socket.localPort}`);
}

function write(to: Socket, line: string): void {
  const [head = "", length = ""] = line.split(" ");
  to.write(Buffer.concat([Buffer.from(head, "hex"), Buffer.alloc(Number(length), "b")]), () =>
    say("written"),
  );
}
