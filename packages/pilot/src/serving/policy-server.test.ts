import * as grpc from "@grpc/grpc-js";
import { noCredentials } from "@keelson/model";
import { applierIdPrefix, nodeNameMetadata } from "@keelson/model/names";
import { type PolicyIr, policyTypeUrls } from "@keelson/protos";
import { type DeltaUpdate, DeltaXdsClient } from "@keelson/xds";
import { envoyTypeUrls } from "@keelson/xds/envoy";
import { anEndpointSet, anIr, aService } from "@keelson/xds/envoy/testing";
import { expect, onTestFinished, test } from "vitest";
import { openGuard } from "../auth/peer-guard.ts";
import { grpcListener } from "../servers/grpc-port.ts";
import { plainListen } from "../servers/listen.ts";
import { defaultPush, type PushSettings } from "../settings/push-settings.ts";
import { PolicyServer } from "./policy-server.ts";

const reviews = aService("reviews", { ports: [{ name: "http", port: 80 }] });
const setName = `outbound|80||${reviews.hostname}`;
const ports = [{ name: "http", port: 80 }];
const before = anIr({
  services: [reviews],
  endpointSets: [anEndpointSet(setName, [{ address: "10.244.0.9" }])],
});
const otherEndpoint: PolicyIr = {
  ...before,
  endpointSets: new Map([[setName, anEndpointSet(setName, [{ address: "10.244.0.10" }])]]),
};
const otherService: PolicyIr = {
  ...before,
  services: new Map([...before.services, ["ratings", aService("ratings", { ports })]]),
};

/** A server that debounces for longer than a test takes, and what a proxy and an applier hear from it. */
async function serving(push: Partial<PushSettings>) {
  const debounce = { quietMs: 600_000, maxMs: 600_000 };
  const server = new PolicyServer({
    onEvent: () => undefined,
    onDemand: () => undefined,
    onSecretWithheld: () => undefined,
    push: { ...defaultPush, debounce, ...push },
  });
  const grpcServer = new grpc.Server();
  server.register(grpcServer, openGuard);
  const listener = grpcListener(grpcServer, grpc.ServerCredentials.createInsecure());
  onTestFinished(() => {
    listener.close();
  });
  const port = await plainListen(listener)({ host: "127.0.0.1", port: 0 });
  let version = 0n;
  const set = (ir: PolicyIr) => {
    version += 1n;
    const name = "s";
    const service = { name, version: `${version}`, body: new Uint8Array() };
    const resources = new Map([[policyTypeUrls.service, new Map([[name, service]])]]);
    server.set({ version, ir, resources, credentials: noCredentials });
  };
  set(before);
  const follow = (id: string, ...typeUrls: string[]) => {
    const updates: DeltaUpdate[] = [];
    const client = new DeltaXdsClient({
      address: `127.0.0.1:${port}`,
      credentials: grpc.credentials.createInsecure(),
      node: { id, metadata: { [nodeNameMetadata]: "n" } },
      typeUrls,
      onUpdate: async (update) => void updates.push(update),
    });
    client.start();
    onTestFinished(() => client.close());
    return updates;
  };
  const proxy = follow("plain", envoyTypeUrls.cluster, envoyTypeUrls.endpoint);
  const applier = follow(`${applierIdPrefix}n`, policyTypeUrls.service);
  onTestFinished(() => {
    server.close();
    grpcServer.forceShutdown();
  });
  await expect.poll(() => [proxy.length, applier.length]).toEqual([2, 1]);
  return { server, set, proxy, applier };
}

const typesOf = (updates: readonly DeltaUpdate[]) => updates.map(({ typeUrl }) => typeUrl);

test("kernel nodes get each change at once, proxies after a pause", async () => {
  const { server, set, proxy, applier } = await serving({});
  set(otherEndpoint);
  set(otherService);
  await expect.poll(() => applier.length).toBe(3);
  expect(proxy).toHaveLength(2);
  server.push();
  await expect.poll(() => typesOf(proxy.slice(2))).toEqual([envoyTypeUrls.cluster, envoyTypeUrls.endpoint]);
});

test("changes of nothing but endpoints need not wait, if so wished", async () => {
  const { set, proxy } = await serving({ endpointsWait: false });
  set(otherService);
  expect(proxy).toHaveLength(2);
  // What waits goes along.
  set({ ...otherService, endpointSets: otherEndpoint.endpointSets });
  await expect.poll(() => typesOf(proxy.slice(2))).toContain(envoyTypeUrls.cluster);
});
