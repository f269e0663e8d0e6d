import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { RawDeltaClient, type RawDeltaStream } from "../testing/raw-delta-stream.ts";
import { resource, snapshot } from "../testing/resources.ts";
import { TestServer } from "../testing/test-server.ts";
import type { OnDemand } from "./on-demand.ts";

const typeUrl = "istio.io/debug";
const node = { id: "someone" };
const text = (body: Uint8Array): string => Buffer.from(body).toString();

/** Answers with the names and the node that ask. */
const echo: OnDemand = (asked, names, from) =>
  asked === typeUrl
    ? {
        resources: [
          { name: "answer", version: "", typeUrl: "other", body: Buffer.from(`${names.join()} ${from?.id}`) },
        ],
        controlPlaneIdentifier: "me",
      }
    : undefined;

async function open(
  onDemand: OnDemand,
): Promise<{ server: TestServer; stream: RawDeltaStream } & Disposable> {
  const server = await TestServer.start({ onDemand });
  const client = new RawDeltaClient(server.address);
  return {
    server,
    stream: client.open(),
    [Symbol.dispose]: () => {
      client[Symbol.dispose]();
      server[Symbol.dispose]();
    },
  };
}

test("each request is answered once, even before there is a snapshot; an ack is none", async () => {
  using opened = await open(echo);
  const { stream, server } = opened;
  stream.send({ node, typeUrl, resourceNamesSubscribe: ["a"] });
  const first = await stream.next();
  expect(first).toMatchObject({ typeUrl, controlPlane: { identifier: "me" }, removedResources: [] });
  expect(
    first.resources.map(({ name, resource: any }) => [name, any?.typeUrl, text(any?.value ?? Buffer.of())]),
  ).toEqual([["answer", "other", "a someone"]]);
  stream.ack(first);
  stream.send({ typeUrl, responseNonce: first.nonce, resourceNamesSubscribe: ["b", "c"] });
  const second = await stream.next();
  expect(text(second.resources[0]?.resource?.value ?? Buffer.of())).toBe("b,c someone");
  expect(second.nonce).not.toBe(first.nonce);
  server.xds.setSnapshot(snapshot(1, {}));
  await stream.quiet();
  expect(server.eventsOf("push").filter((event) => event.typeUrl === typeUrl)).toHaveLength(2);
});

test("other types are served from snapshots beside it", async () => {
  using opened = await open(echo);
  const { stream, server } = opened;
  server.xds.setSnapshot(snapshot(1, { usual: [resource("a")] }));
  stream.send({ node, typeUrl, resourceNamesSubscribe: ["x"] });
  await stream.next();
  stream.send({ typeUrl: "usual" });
  expect((await stream.next()).resources.map(({ name }) => name)).toEqual(["a"]);
});

test("who is refused is told why", async () => {
  using opened = await open(() => ({ code: "PERMISSION_DENIED", reason: "not for you" }));
  opened.stream.send({ node, typeUrl });
  expect(await opened.stream.ended).toMatchObject({ code: status.PERMISSION_DENIED, details: "not for you" });
});
