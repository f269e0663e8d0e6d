// One pod of bookinfo. Arguments: its role, its pod's name, its version.
import { createServer } from "node:http";
import { productPage } from "./page.ts";
import { answerOf, type Identity, port, type Role, roles } from "./roles.ts";

const [role = "", pod = "", version = "v1"] = process.argv.slice(2);
const isRole = (name: string): name is Role => Object.hasOwn(roles, name);
if (!isRole(role) || pod === "") {
  process.stderr.write(`usage: node server.ts ${Object.keys(roles).join("|")} POD [VERSION]\n`);
  process.exit(2);
}
const identity: Identity = { role, pod, version };

const server = createServer((request, response) => {
  const html = role === "productpage" && (request.headers.accept ?? "").includes("text/html");
  const send = (status: number, type: string, body: string): void => {
    response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) }).end(body);
  };
  answerOf(identity).then(
    (answer) =>
      html
        ? send(200, "text/html; charset=utf-8", productPage(answer))
        : send(200, "application/json", `${JSON.stringify(answer)}\n`),
    (error: Error) => send(502, "application/json", `${JSON.stringify({ pod, error: error.message })}\n`),
  );
});

server.listen({ host: "::", port, backlog: 1024 }, () => process.stdout.write("listening\n"));
