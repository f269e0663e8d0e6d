import { once } from "node:events";
import type { Socket } from "node:net";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { listening, RelayWorld, rawServer, setName } from "./testing/relay-world.ts";

const asked = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as (options: { readonly type: "minor" | "major" }) => void;

/** Of what has outlived two looks for young garbage. */
function oldBytes(): number {
  for (let look = 0; look < 2; look++) collect({ type: "minor" });
  const spaces = getHeapSpaceStatistics();
  return spaces.find(({ space_name }) => space_name === "old_space")?.space_used_size ?? Number.NaN;
}

async function ask(caller: Socket, requests: number): Promise<void> {
  for (let request = 0; request < requests; request++) {
    caller.write(asked);
    for (let come = 0; come < answer.length; ) come += ((await once(caller, "data")) as [Buffer])[0].length;
  }
}

test("a request leaves nothing behind that only V8's look for all garbage finds", async () => {
  await using stack = new AsyncDisposableStack();
  const server = rawServer((socket) => socket.on("data", () => socket.write(answer)));
  const world = stack.use(await RelayWorld.start({ [setName]: [await listening(stack, server)] }));
  const caller = await world.call();
  await ask(caller, 300); // what is compiled meanwhile stays
  collect({ type: "major" });
  const requests = 500;
  const before = oldBytes();
  await ask(caller, requests);
  const left = (oldBytes() - before) / requests;
  // All that a request is made of is some 6,000.
  expect(left).toBeLessThan(1_000);
});
