import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { objectPath } from "@keelson/bpf/object";
import { ApplicationProtocol, EndpointSetSchema, ServicePortSchema } from "@keelson/protos/policy";
import { BpfObject } from "bpf-maps-native";
import { expect } from "vitest";
import { PinFolder } from "../pins.ts";
import { BuiltinRelay } from "./builtin-relay.ts";
import type { RelayPolicy } from "./relay.ts";

const network = 77n;

/** Of a service with one endpoint. */
export function policy(serverPort: number): RelayPolicy {
  const destinations = [{ weight: 1, endpointSet: "web" }];
  const port = create(ServicePortSchema, {
    port: 80,
    applicationProtocol: ApplicationProtocol.HTTP,
    destinations,
    routes: [{ route: { name: "all" }, destinations }],
  });
  const endpoints = [{ address: Buffer.from([127, 0, 0, 1]), port: serverPort, weight: 1 }];
  return {
    services: new Map([[9n, { hostname: "web.default.svc.cluster.local", port, switchedRules: [] }]]),
    endpointSets: new Map([["web", create(EndpointSetSchema, { name: "web", endpoints })]]),
    workloads: new Map(),
  };
}

/** For relays that outlive their agents; the last one is ended, in the end. */
export async function left(stack: AsyncDisposableStack, name: string) {
  const pins = await PinFolder.create(name);
  stack.defer(() => pins.remove());
  const object = stack.use(await BpfObject.open(objectPath));
  await object.load();
  const origins = stack.use(object.map("origins"));
  origins.pin(pins.map("origins"));
  const folder = mkdtempSync(join(tmpdir(), "keelson-line-"));
  stack.defer(() => rmSync(folder, { recursive: true }));
  const options = {
    origins: pins.map("origins"),
    line: join(folder, "relay"),
    onExit: (reason: string) => expect.unreachable(reason),
  };
  stack.defer(() => BuiltinRelay.endEarlier(options.line));
  return { options, origins };
}

/** The test's own. */
export const own = { cookie: network, path: "/proc/self/ns/net" };
