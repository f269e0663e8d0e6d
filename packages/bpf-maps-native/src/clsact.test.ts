import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { expect } from "vitest";
import { detachClsact } from "./attachment.ts";
import { datagramInNamespace } from "./namespace-sockets.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { makeNamespace } from "./testing/places.ts";
import { numbers, openProgram, u32 } from "./testing/programs.ts";

const dropped = 5001;
const passed = 5002;

async function bound(netnsPath: string, port: number): Promise<Socket> {
  const socket = createSocket("udp4");
  const fd = await datagramInNamespace(netnsPath, { address: "127.0.0.1", port });
  const listening = once(socket, "listening"); // with a descriptor it comes within bind
  socket.bind({ fd });
  await listening;
  return socket;
}

/** Sends to the port under test, then to another; what arrives first, the loopback keeping the order. */
async function firstArrival(netnsPath: string): Promise<string> {
  const sockets = await Promise.all([dropped, passed, 0].map((port) => bound(netnsPath, port)));
  const [one, two, sender] = sockets;
  try {
    const arrivals = [one, two].map(async (socket) => String((await once(socket as Socket, "message"))[0]));
    const first = Promise.race(arrivals);
    sender?.send("under test", dropped, "127.0.0.1");
    sender?.send("other", passed, "127.0.0.1");
    return await first;
  } finally {
    for (const socket of sockets) socket.close();
  }
}

async function dropObject() {
  const object = await openProgram("traffic");
  object.setReadOnlyData("dropped_port", dropped);
  object.configureProgram("forward", { autoload: false });
  await object.load();
  return object;
}

kernelTest(
  "operation: attach to clsact - packets are dropped in another namespace, both directions, until detached",
  async () => {
    using space = makeNamespace();
    using object = await dropObject();
    using program = object.program("drop_datagram");
    expect(await firstArrival(space.path)).toBe("under test");
    for (const [index, direction] of (["ingress", "egress"] as const).entries()) {
      await using attachment = await program.attachClsact("lo", direction, { netnsPath: space.path });
      expect(await firstArrival(space.path)).toBe("other");
      expect(numbers(object.map("counters").lookup(u32(4)))).toEqual([index + 1]);
      expect(attachment).toBeDefined();
    }
    expect(await firstArrival(space.path)).toBe("under test");
  },
);

kernelTest(
  "operation: replace a clsact filter - same priority and handle, removed by a later process",
  async () => {
    using space = makeNamespace();
    using object = await dropObject();
    using program = object.program("drop_datagram");
    const place = { netnsPath: space.path, priority: 7, handle: 9 };
    (await program.attachClsact("lo", "ingress", place)).close();
    await expect(program.attachClsact("lo", "ingress", place)).rejects.toMatchObject({
      code: "EEXIST",
      operation: "attach",
      object: `program drop_datagram to clsact ingress of lo in ${space.path}`,
    });
    (await program.attachClsact("lo", "ingress", { ...place, replace: true })).close();
    expect(await firstArrival(space.path)).toBe("other");
    await detachClsact("lo", "ingress", place);
    expect(await firstArrival(space.path)).toBe("under test");
    await expect(detachClsact("lo", "ingress", place)).rejects.toThrow(/ENOENT|EINVAL/);
  },
);

kernelTest("detaching from a namespace that is gone is no error, an unknown interface is", async () => {
  using object = await dropObject();
  using program = object.program("drop_datagram");
  const space = makeNamespace();
  const attachment = await program.attachClsact("lo", "ingress", { netnsPath: space.path });
  await expect(program.attachClsact("none0", "ingress", { netnsPath: space.path })).rejects.toThrow(
    "ENODEV (19): no interface none0",
  );
  space[Symbol.dispose]();
  await attachment.detach();
  await expect(program.attachClsact("lo", "ingress", { netnsPath: space.path })).rejects.toThrow(
    "ENOENT (2)",
  );
});
