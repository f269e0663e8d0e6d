// Real gRPC libraries, with no proxy beside them, follow Keelson's control plane as they follow istiod.
import { afterAll, beforeAll, describe, expect } from "vitest";
import { httpService, podsBehind } from "../envoy/envoy-world.ts";
import { type GrpcWorld, startGrpcWorld } from "../grpc/grpc-world.ts";
import {
  grpcPort,
  grpcService,
  headerIs,
  ruleOfEverything,
  toVersions,
  versionSubsets,
  virtualService,
} from "../grpc/objects.ts";
import { startSilentServer } from "../grpc/silent-server.ts";
import { makeRoot, workloadCertificate } from "../grpc/workload-certificate.ts";
import { type EchoClient, type EchoServer, grpcLanguages, startEchoServer } from "../peers/echo.ts";
import type { PeerName } from "../peers/install/recipes.ts";
import { missingPeers } from "../peers/peer-cache.ts";
import { peerTest } from "../peers/peer-test.ts";
import { freePort } from "../world/free-port.ts";
import { chiSquare } from "../world/statistics.ts";
import { Hopeless, until } from "../world/until.ts";

const versions = ["v1", "v2", "v3"] as const;

let world: GrpcWorld;
/** One for each version, on addresses of their own. */
let servers: readonly EchoServer[] = [];

beforeAll(async () => {
  if (await missingPeers("grpc-go")) return;
  world = await startGrpcWorld();
  servers = await Promise.all(
    versions.map((name, i) => startEchoServer({ language: "grpc-go", name, listen: `127.0.0.${i + 2}:0` })),
  );
});

afterAll(async () => {
  for (const server of servers) await server.stop();
  await world?.stop();
});

const endpoints = () => servers.map(({ address }, i) => ({ address, version: versions[i] ?? "" }));

/** The same as what stands behind a Kubernetes Service. */
const backends = (...names: readonly string[]) =>
  servers.flatMap(({ address }, i) => {
    const [host = "", port] = address.split(":");
    const name = versions[i] ?? "";
    return names.includes(name) ? [{ name, address: host, port: Number(port) }] : [];
  });

interface Calls {
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether calls may fail until then; true if left out. */
  readonly mayFail?: boolean;
}

/** Waits until all calls are answered, by these servers and by each of them. */
async function untilAnswered(client: EchoClient, by: readonly string[], calls: Calls = {}) {
  const { headers = {}, mayFail = true } = calls;
  const look = async () => {
    const { answers, failures, firstFailure } = await client.send({ count: 10 * by.length, headers });
    if (!mayFail && firstFailure !== "") throw new Hopeless(`${JSON.stringify(failures)}: ${firstFailure}`);
    expect({ by: Object.keys(answers).sort(), failures }).toEqual({ by, failures: {} });
    return true;
  };
  await until(look, { what: `${by.join(", ")} to answer calls with headers ${JSON.stringify(headers)}` });
}

async function expectSplit(client: EchoClient, shares: Record<string, number>) {
  const { answers, failures } = await client.send({ count: 600, concurrency: 16 });
  expect(failures).toEqual({});
  const { statistic, bound } = chiSquare(answers, shares);
  expect(statistic, JSON.stringify(answers)).toBeLessThan(bound);
}

describe.each(grpcLanguages)("%s", (language) => {
  const library: readonly PeerName[] = language === "grpc-js" ? ["grpc-go"] : ["grpc-go", language];

  peerTest(library, "splits calls by weights and headers, and follows the rule when it changes", async () => {
    const host = `split.${language}.test`;
    const write = (weights: Record<string, number>, marked: string) =>
      world.config.write(`split-${language}`, [
        grpcService(host, endpoints()),
        versionSubsets(host, versions),
        virtualService(host, [
          { match: headerIs("marked"), route: toVersions(host, { [marked]: 100 }) },
          { route: toVersions(host, weights) },
        ]),
      ]);
    await write({ v1: 70, v2: 20, v3: 10 }, "v1");
    await using client = await world.client(language, `xds:///${host}:${grpcPort}`);
    // One message brings both routes: who sees the one has the other.
    await untilAnswered(client, ["v1"], { headers: { "x-version": "marked" } });
    await expectSplit(client, { v1: 0.7, v2: 0.2, v3: 0.1 });
    await write({ v1: 5, v2: 15, v3: 80 }, "v2");
    await untilAnswered(client, ["v2"], { headers: { "x-version": "marked" } });
    await expectSplit(client, { v1: 0.05, v2: 0.15, v3: 0.8 });
    expect(await world.rejections()).toEqual([]);
  });

  peerTest(library, "follows pods that come and go behind a short name, and no call fails", async () => {
    const name = `pods-${language}`;
    const write = (...pods: readonly string[]) =>
      world.config.write(name, [httpService(name, grpcPort), ...podsBehind(name, backends(...pods))]);
    await write("v1", "v2");
    await using client = await world.client(language, `xds:///${name}:${grpcPort}`);
    await untilAnswered(client, ["v1", "v2"]);
    for (const pods of [["v3"], ["v1", "v2", "v3"], ["v2"]]) {
      await write(...pods);
      await untilAnswered(client, pods, { mayFail: false });
    }
    expect(await world.rejections()).toEqual([]);
  });

  peerTest(library, "takes all that a rule can say, and does of it what gRPC can do", async () => {
    const host = `rules.${language}.test`;
    await using silent = await startSilentServer();
    await world.config.write(`rules-${language}`, [
      grpcService(host, [...endpoints(), ...endpoints(), { address: silent.address, version: "silent" }]),
      ...ruleOfEverything(host, [...versions, "silent"]),
    ]);
    await using client = await world.client(language, `xds:///${host}:${grpcPort}`);
    await untilAnswered(client, ["v1"]);
    await untilAnswered(client, ["v2"], { headers: { "x-to": "c" } });
    for (const [answer, status] of [
      ["403", "PERMISSION_DENIED"],
      ["redirect", "UNKNOWN"],
      ["fault", "DATA_LOSS"],
      ["late", "DEADLINE_EXCEEDED"],
    ] as const) {
      const { answers, failures } = await client.send({ count: 1, headers: { "x-answer": answer } });
      expect({ answers, failures }, answer).toEqual({ answers: {}, failures: { [status]: 1 } });
    }
    expect(await world.rejections()).toEqual([]);
  });

  peerTest(
    library,
    "a server gets its listener, and serves as long as some service leads to it",
    async () => {
      const host = `server.${language}.test`;
      const listen = `127.0.0.1:${await freePort()}`;
      const bootstrap = world.bootstrap(`${language}-server`);
      // grpc-js listens only when it has its listener.
      const starting = startEchoServer({ language, name: "by-xds", xds: true, listen, bootstrap });
      const connecting = world.client(language, `xds:///${host}:${grpcPort}`);
      await world.untilAsked(`xds.istio.io/grpc/lds/inbound/${listen}`);
      await using client = await connecting;
      const file = `server-${language}`;
      await world.config.write(file, [grpcService(host, [{ address: listen, version: "v1" }])]);
      const server = await starting;
      await untilAnswered(client, ["by-xds"]);
      expect(await world.rejections()).toEqual([]);
      await world.config.remove(file);
      await using direct = await world.client("grpc-go", listen);
      const isRefused = async () => (await direct.send({ count: 1 })).failures["UNAVAILABLE"] === 1;
      await until(isRefused, { what: "the server to serve no more" });
      await server.stop();
    },
  );

  peerTest(
    library,
    "client and server speak mutual TLS as rules say, and check whom they speak to",
    async () => {
      const host = `tls.${language}.test`;
      const listen = `127.0.0.1:${await freePort()}`;
      const [root, stranger] = [await makeRoot(), await makeRoot()];
      const id = (account: string): string => `spiffe://cluster.local/ns/default/sa/${account}`;
      const write = (identity: string) =>
        world.config.write(`tls-${language}`, [
          grpcService(host, [{ address: listen, version: "v1" }], [id(identity)]),
          versionSubsets(host, ["v1"], { tls: { mode: "ISTIO_MUTUAL" } }),
        ]);
      await write("somebody-else");
      const bootstrap = world.bootstrap(`${language}-tls`, {
        metadata: { LABELS: { "security.istio.io/tlsMode": "istio" } },
        certificates: await workloadCertificate(root, id("server")),
      });
      const starting = startEchoServer({ language, name: "tls", xds: true, listen, bootstrap });
      const target = `xds:///${host}:${grpcPort}`;
      const certificates = await workloadCertificate(root, id("client"));
      await using client = await world.client(language, target, { certificates });
      const server = await starting;
      const refused = { UNAVAILABLE: 1 };
      expect((await client.send({ count: 1 })).failures).toEqual(refused);
      await write("server");
      await untilAnswered(client, ["tls"]);
      await using other = await world.client("grpc-go", target, {
        certificates: await workloadCertificate(stranger, id("client")),
      });
      expect((await other.send({ count: 1 })).failures).toEqual(refused);
      await using inTheClear = await world.client("grpc-go", listen);
      expect((await inTheClear.send({ count: 1 })).failures).toEqual(refused);
      expect(await world.rejections()).toEqual([]);
      await server.stop();
    },
  );
});
