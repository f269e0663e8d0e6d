import { create } from "@bufbuild/protobuf";
import { defaultBounds } from "@keelson/compiler/automaton";
import { policyTypeUrls } from "@keelson/protos";
import {
  ApplicationProtocol,
  Protocol,
  type Service,
  type ServicePort,
  ServiceSchema,
} from "@keelson/protos/policy";
import { expect, onTestFinished, test } from "vitest";
import { endpoint, endpointSetsUpdate, ip, servicesUpdate } from "../builders.test-helper.ts";
import { PolicyStore } from "../policy-store.ts";
import { beingMade } from "./match-table.ts";
import { MatchTableMaker } from "./match-table-maker.ts";

const matching = (value: string) => ({ case: "regex" as const, value });
const exactly = (value: string) => ({ case: "exact" as const, value });
type Path = ReturnType<typeof matching> | ReturnType<typeof exactly>;

function serviceOf(...paths: readonly Path[]): Service {
  const routes = paths.map((how) => ({
    route: { matches: [{ uri: { how } }] },
    destinations: [{ endpointSet: "v1", weight: 1 }],
  }));
  const ports = [{ port: 80, protocol: Protocol.TCP, applicationProtocol: ApplicationProtocol.HTTP, routes }];
  return create(ServiceSchema, { hostname: "web", addresses: [ip("10.96.0.1")], ports });
}

function portOf(...paths: readonly Path[]): ServicePort {
  const [port] = serviceOf(...paths).ports;
  if (port === undefined) throw new Error("it has a port");
  return port;
}

const nothingAtOnce = { ...defaultBounds, work: 0 };

/** One that makes everything beside, and what it told of last. */
function slowMaker(onMade: () => Promise<void> = () => Promise.resolve()) {
  let told = Promise.withResolvers<void>();
  const maker = new MatchTableMaker({
    atOnce: nothingAtOnce,
    onMade: async () => {
      await onMade();
      told.resolve();
      told = Promise.withResolvers<void>();
    },
  });
  onTestFinished(() => maker.close());
  return { maker, made: () => told.promise };
}

test("a table that takes long is made beside, and is the one that would have been made at once", async () => {
  const { maker, made } = slowMaker();
  const port = portOf(matching("/a+"), matching("/b[0-9]"));
  expect(maker.tableOf(port)).toBe(beingMade);
  expect(maker.known(port)).toBeUndefined();
  await made();
  const table = new MatchTableMaker().tableOf(port);
  expect(table).toHaveProperty("entries");
  expect(maker.tableOf(port)).toEqual(table);
  expect(maker.tableOf(portOf(matching("/a+"), matching("/b[0-9]")))).toEqual(table);
});

test("of conditions that change while one is made only the last are looked at", async () => {
  const { maker, made } = slowMaker();
  const [first, second, third] = [portOf(exactly("/1")), portOf(exactly("/2")), portOf(exactly("/3"))];
  for (const port of [first, second, third]) expect(maker.tableOf(port)).toBe(beingMade);
  await made();
  expect(maker.known(first)).toHaveProperty("entries");
  expect(maker.tableOf(third)).toBe(beingMade);
  await made();
  expect(maker.known(third)).toHaveProperty("entries");
  expect(maker.known(second)).toBeUndefined();
});

test("whoever asks goes on meanwhile, and learns which bound the conditions exceed", async () => {
  const { maker, made } = slowMaker();
  const port = portOf(exactly("/x".repeat(300_000)));
  expect(maker.tableOf(port)).toBe(beingMade);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await made();
  clearInterval(timer);
  expect(turns).toBeGreaterThan(0);
  expect(maker.tableOf(port)).toEqual({
    unfit: "the automaton of its rules needs more than 500000 positions in patterns",
  });
});

test("what no table can look at is said at once", () => {
  const { maker } = slowMaker();
  const port = create(ServiceSchema, {
    ports: [{ routes: [{ route: { matches: [{ queryParameters: [{ name: "a" }] }] } }] }],
  }).ports[0];
  expect(port && maker.tableOf(port)).toEqual({
    unfit: "the automaton of its rules looks at query parameters",
  });
});

test("a service waits for its table at the relay, and is switched by it once it is there", async () => {
  const { maker, made } = slowMaker();
  const store = new PolicyStore({ hasRelay: true, tableMaker: maker });
  store.stage(endpointSetsUpdate({ v1: [endpoint("10.0.0.1")] })).commit();
  const staged = store.stage(servicesUpdate([serviceOf(matching("/a+"))]));
  staged.commit();
  expect(staged.changes.get("web")?.switchedServices).toEqual([]);
  expect(store.switching()).toMatchObject({ ports: 0, beingMade: 1, tables: 0, others: [] });
  await made();
  const again = store.stage({ typeUrl: policyTypeUrls.service, systemVersion: "", added: [], removed: [] });
  again.commit();
  const [before, after] = [staged.changes.get("web"), again.changes.get("web")];
  expect(after?.switchedServices).toHaveLength(1);
  expect(store.switching()).toMatchObject({ ports: 1, beingMade: 0, tables: 1, others: [] });
  // Connections that were opened meanwhile are switched, too; the relay need not be told anew.
  expect(after?.services).toEqual(before?.services);
  expect(after?.switchedRules).toEqual(before?.switchedRules);
  expect([...(after?.ports.values() ?? [])].map(({ switchedRules }) => switchedRules)).toEqual([[1]]);
});

test("a table whose thread fails is tried again, and holds up no other", async () => {
  const [large, small] = [portOf(exactly("/x".repeat(200_000))), portOf(exactly("/1"))];
  const errors: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const ask = (): void => {
    expect(maker.tableOf(large)).toBe(beingMade);
    maker.tableOf(small);
    if (errors.length > 1 && maker.known(small) !== undefined) resolve();
  };
  const maker = new MatchTableMaker({
    atOnce: nothingAtOnce,
    // Enough for the small one alone.
    mostMebibytes: 32,
    pauseMs: 1,
    onError: (error) => errors.push(error),
    onMade: () => Promise.resolve(ask()),
  });
  onTestFinished(() => maker.close());
  ask();
  await promise;
  expect(errors[0]).toMatchObject({ code: "ERR_WORKER_OUT_OF_MEMORY" });
  expect(maker.known(small)).toHaveProperty("entries");
});

test("a maker that was closed begins nothing", async () => {
  const maker = new MatchTableMaker({ atOnce: nothingAtOnce });
  await maker.close();
  let workers = 0;
  const count = (): void => void workers++;
  process.on("worker", count);
  onTestFinished(() => void process.off("worker", count));
  expect(maker.tableOf(portOf(exactly("/1")))).toBe(beingMade);
  await new Promise(setImmediate);
  expect(workers).toBe(0);
});
