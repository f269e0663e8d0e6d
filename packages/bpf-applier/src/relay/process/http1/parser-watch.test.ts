import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import { ParserWatch } from "./parser-watch.ts";

test("Node's parser tells whether a request has begun that is not whole, and parses on as if it had not been asked", async () => {
  await using stack = new AsyncDisposableStack();
  const urls: (string | undefined)[] = [];
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    urls.push(request.url);
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      bodies.push(body);
      response.end();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const watch = new ParserWatch(server);
  const isWithinRequest = (socket: Socket): boolean | undefined => watch.isWithinRequest(socket);
  const caller = connect((server.address() as AddressInfo).port, "127.0.0.1");
  stack.defer(() => {
    caller.destroy();
    server.close();
  });
  caller.resume();
  const [socket] = (await once(server, "connection")) as [Socket];
  let sent = 0;
  const after = async (text: string): Promise<boolean | undefined> => {
    caller.write(text);
    sent += text.length;
    await expect.poll(() => socket.bytesRead).toBe(sent);
    return isWithinRequest(socket);
  };
  expect(isWithinRequest(socket)).toBe(false);
  expect(await after("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")).toBe(false);
  expect(await after("\r\n")).toBe(false);
  expect(await after("GET /2 HTTP/1.1\r\nHost: a\r\n\r\nP")).toBe(true);
  expect(await after("OST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Enc")).toBe(true);
  expect(await after("oding: chunked\r\n\r\n5\r\nhe")).toBe(true);
  expect(await after("llo\r\n0\r\n")).toBe(true);
  expect(await after("\r\nGET /4 HTTP/1.1\r\nHost: a\r\n\r\n")).toBe(false);
  await expect.poll(() => bodies).toEqual(["", "", "hello", ""]);
  expect(urls).toEqual(["/1", "/2", "/3", "/4"]);
  expect(isWithinRequest(caller)).toBeUndefined();
});
