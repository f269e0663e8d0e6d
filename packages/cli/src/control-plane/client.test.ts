import { createServer, type RequestListener, type Server } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { UserError } from "../exit-codes.ts";
import { ControlPlaneClient } from "./client.ts";

/** Whatever may listen on a control plane's port. @returns its URL */
async function serving(listener: RequestListener): Promise<string> {
  const { server, url } = await listening(listener);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return url;
}

async function listening(listener?: RequestListener): Promise<{ server: Server; url: string }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
  return { server, url: `http://127.0.0.1:${address.port}` };
}

/** The message of the UserError with which a status request fails. */
async function complaint(client: ControlPlaneClient): Promise<string> {
  const error: unknown = await client.status().catch((reason: unknown) => reason);
  if (!(error instanceof UserError))
    throw new Error("the request did not fail as it should", { cause: error });
  expect(error.exitCode).toBe(1);
  return error.message;
}

test("nothing listens: the URL, the reason, and what to check", async () => {
  const { server, url } = await listening();
  await new Promise((resolve) => server.close(resolve));
  const message = await complaint(new ControlPlaneClient(url));
  expect(message).toContain(`cannot reach the control plane at ${url}: connection refused\n`);
  expect(message).toMatch(/--httpAddr .* --server/);
});

test("something listens that never answers", async () => {
  const url = await serving(() => undefined);
  expect(await complaint(new ControlPlaneClient(url, 50))).toContain(`${url}: no answer within 0.05 s`);
});

test("something listens that hangs up", async () => {
  const url = await serving((request) => request.socket.destroy());
  expect(await complaint(new ControlPlaneClient(url))).toContain(
    `cannot reach the control plane at ${url}: `,
  );
});

test.each([
  [
    "a web server",
    404,
    "<html>",
    /answers 404: that is no control plane of Keelson; give its address with --server/,
  ],
  [
    "a web page",
    200,
    "<html>",
    /answers something unexpected .*no control plane of Keelson, or one of another version/,
  ],
  ["another program's JSON", 200, '{"status":"ok"}', /answers something unexpected \(program: /],
  [
    "a control plane that refuses",
    403,
    '{"error":"/debug is for this machine"}',
    /answers 403: \/debug is for this machine$/,
  ],
])("%s", async (_, status, body, message) => {
  const url = await serving((__, response) => response.writeHead(status).end(body));
  expect(await complaint(new ControlPlaneClient(url))).toMatch(message);
});

const status = {
  program: "9.9.9",
  startedAt: "2026-01-01T00:00:00.000Z",
  version: "",
  versionSince: "",
  services: 0,
  objects: 0,
  problems: [],
  nodes: [],
};

test("what a newer control plane says beyond is kept", async () => {
  const newer = { ...status, mood: "good" };
  const url = await serving((_, response) => response.end(JSON.stringify(newer)));
  expect(await new ControlPlaneClient(url).status()).toEqual(newer);
});

test("an answer of another shape is told by its field", async () => {
  const older = { ...status, nodes: [{ name: "n1" }] };
  const url = await serving((_, response) => response.end(JSON.stringify(older)));
  expect(await complaint(new ControlPlaneClient(url))).toContain("(nodes[0].id: ");
});

test("a service that is not there is no failure, another server's 404 is", async () => {
  const refusing = await serving((_, response) =>
    response.writeHead(404).end('{"error":"there is no service x"}'),
  );
  expect(await new ControlPlaneClient(refusing).explanations("x")).toEqual([]);
  const other = await serving((_, response) => response.writeHead(404).end("not found"));
  await expect(new ControlPlaneClient(other).explanations("x")).rejects.toThrow(
    /answers 404: that is no control plane/,
  );
});
