import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { readUntil } from "../testing/relay-world.ts";
import { held, ok, SwitchedWorld } from "./testing/switched-world.ts";

test("nothing is read of a link until the relay is told of it, nor again when an answer that it carried has ended", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  const { kernel } = world;
  const link = await world.take(held);
  kernel.onReleased = (value) => Object.assign(value, { passedEver: ok.length });
  world.linkEnd.write(ok);
  await sleep(50);
  expect(kernel.links.get(link)?.caller).not.toBe(0n);
  kernel.pass(link);
  await readUntil(world.socket, "ok");
  await expect.poll(() => kernel.links.get(link)?.caller).toBe(0n);
  world.linkEnd.write("unasked");
  await sleep(50);
  expect(kernel.links.has(link)).toBe(true);
  kernel.tell(link);
  await expect.poll(() => kernel.links.has(link)).toBe(false);
});

test("what comes between the release of a link and the relay's hearing of it is read, though it is told of once", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  const { kernel } = world;
  const link = await world.take(held);
  kernel.onReleased = (value) => Object.assign(value, { passedEver: ok.length, isTold: 1 });
  kernel.pass(link);
  world.linkEnd.write(ok);
  await readUntil(world.socket, "ok");
  expect(await world.take(held)).toBe(link);
  Object.assign(kernel.links.get(link) ?? {}, { isPassed: 1 });
  world.linkEnd.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsec");
  await readUntil(world.socket, "sec");
  world.linkEnd.write("ond");
  await readUntil(world.socket, "ond");
});

test("bytes of which nobody has told are found after a while", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  const link = await world.take(held);
  Object.assign(world.kernel.links.get(link) ?? {}, { passedEver: ok.length, isTold: 1, isPassed: 1 });
  world.linkEnd.write(ok);
  await readUntil(world.socket, "ok");
});
