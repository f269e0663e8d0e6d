import { expect, test } from "vitest";
import { connect } from "../testing/node-streams.ts";
import { resource, snapshot } from "../testing/resources.ts";
import { summary } from "../testing/summary.ts";
import { TestServer } from "../testing/test-server.ts";
import { rulesInOrder } from "./type-rules.ts";

const [endpoints, services, workloads] = [
  "type.test/Endpoints",
  "type.test/Service",
  "type.test/Workload",
] as const;
const other = "type.test/Other";
const typeOrder = [endpoints, services, workloads];
const types = rulesInOrder(typeOrder);

type World = Readonly<Record<string, readonly string[]>>;

/** Resources by type; "a>b" is a resource a that refers to b. */
const world = (version: number, content: World) =>
  snapshot(
    version,
    Object.fromEntries(
      Object.entries(content).map(([type, texts]) => [
        type,
        texts.map((text) => resource(text.split(">")[0] ?? "", text)),
      ]),
    ),
  );

test("a push adds in the order of types and removes in the reverse order", async () => {
  using server = await TestServer.start({ types });
  server.xds.setSnapshot(
    world(1, { [other]: ["o"], [workloads]: ["w"], [services]: ["s>e"], [endpoints]: ["e"] }),
  );
  using connection = connect(server);
  const { stream } = connection;
  const followed = [other, ...typeOrder];
  for (const typeUrl of followed) stream.send({ typeUrl });
  for (let count = 0; count < followed.length; count += 1) await stream.take();
  const changed = { [workloads]: ["w2"], [services]: ["s2>e2"], [endpoints]: ["e2"], [other]: ["o2"] };
  server.xds.setSnapshot(world(2, changed));
  const push = await Promise.all(Array.from({ length: 8 }, () => stream.take()));
  expect(push.map(summary)).toEqual([
    { type: endpoints, added: ["e2"], removed: [] },
    { type: services, added: ["s2=s2>e2"], removed: [] },
    { type: workloads, added: ["w2"], removed: [] },
    { type: other, added: ["o2"], removed: [] },
    { type: other, added: [], removed: ["o"] },
    { type: workloads, added: [], removed: ["w"] },
    { type: services, added: [], removed: ["s"] },
    { type: endpoints, added: [], removed: ["e"] },
  ]);
});

test("nothing of a newer version comes before all of a push is answered", async () => {
  using server = await TestServer.start({ types });
  server.xds.setSnapshot(world(1, { [services]: ["s>e"], [endpoints]: ["e"] }));
  using connection = connect(server);
  const { stream } = connection;
  for (const typeUrl of [endpoints, services]) {
    stream.send({ typeUrl });
    await stream.take();
  }
  await stream.quiet();
  server.xds.setSnapshot(world(2, { [services]: ["s>e2"], [endpoints]: ["e", "e2"] }));
  const push = [await stream.next(), await stream.next()] as const;
  server.xds.setSnapshot(world(3, { [services]: ["s>e3"], [endpoints]: ["e3"] }));
  const acked = server.eventsOf("ack").length;
  stream.ack(push[0]);
  await expect.poll(() => server.eventsOf("ack")).toHaveLength(acked + 1);
  expect(server.eventsOf("push").at(-1)).toMatchObject({ version: "2" });
  stream.ack(push[1]);
  const next = [await stream.next(), await stream.next(), await stream.next()].map(summary);
  expect(next).toEqual([
    { type: endpoints, added: ["e3"], removed: [] },
    { type: services, added: ["s=s>e3"], removed: [] },
    { type: endpoints, added: [], removed: ["e", "e2"] },
  ]);
});

test("a client that comes again hears of replacements before it loses what they replace", async () => {
  using server = await TestServer.start({ types });
  server.xds.setSnapshot(world(9, { [services]: ["s>e2"], [endpoints]: ["e2"] }));
  using connection = connect(server);
  const { stream } = connection;
  // It holds a service that refers to e, and says so type by type.
  stream.send({ typeUrl: endpoints, initialResourceVersions: { e: "1" } });
  stream.send({ typeUrl: services, initialResourceVersions: { s: "1", gone: "1" } });
  const heard = [];
  for (let count = 0; count < 4; count += 1) heard.push(summary(await stream.take()));
  expect(heard).toEqual([
    { type: endpoints, added: ["e2"], removed: [] },
    { type: services, added: ["s=s>e2"], removed: [] },
    { type: services, added: [], removed: ["gone"] },
    { type: endpoints, added: [], removed: ["e"] },
  ]);
});
