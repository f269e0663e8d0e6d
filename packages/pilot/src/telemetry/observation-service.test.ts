import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import {
  type ObserveRequestsRequest,
  ObserveRequestsRequestSchema,
  type ObserveRequestsResponse,
  ObserveRequestsResponseSchema,
} from "@keelson/protos/telemetry";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TestSecurePort } from "../testing/test-secure-port.ts";
import { ObservationHub } from "./observation-hub.ts";
import { registerObservation } from "./observation-service.ts";

let hub: ObservationHub;
let port: TestSecurePort;

beforeEach(async () => {
  hub = new ObservationHub();
  port = await TestSecurePort.start({}, ({ server, serving }) =>
    registerObservation(server, hub, serving.guard),
  );
});
afterEach(async () => port[Symbol.asyncDispose]());

/** A stream of someone with this token, who says that he is this node. */
function connect(token: string | undefined, node: string) {
  const stream = port.client(token === undefined ? {} : { token }).makeBidiStreamRequest(
    "/keelson.telemetry.v1.TelemetryService/ObserveRequests",
    (request: ObserveRequestsRequest) => Buffer.from(toBinary(ObserveRequestsRequestSchema, request)),
    (bytes) => fromBinary(ObserveRequestsResponseSchema, bytes),
  );
  const told: ObserveRequestsResponse[] = [];
  let error: grpc.ServiceError | undefined;
  stream.on("data", (response: ObserveRequestsResponse) => told.push(response));
  stream.on("error", (failure: grpc.ServiceError) => (error = failure));
  stream.write(create(ObserveRequestsRequestSchema, { node }));
  return { stream, told, error: () => error };
}

const applierToken = (node: string): Promise<string> =>
  port.issuer.token({ namespace: "istio-system", serviceAccount: "bpf-applier", node });

test("a node tells what is wanted of it, and its end is told", async () => {
  const { stream, told } = connect(await applierToken("node-1"), "node-1");
  await expect.poll(() => hub.nodes()).toEqual(["node-1"]);
  const seen: string[] = [];
  hub.observe(
    ["node-1"],
    { every: 5, from: "a", to: "b", status: "5xx", route: "r" },
    {
      onRequests: (node, requests, lost) => seen.push(`${node} ${requests[0]?.path} ${lost}`),
      onEnded: (node, why) => seen.push(`${node} ${why}`),
    },
  );
  const wanted = { every: 5, from: "a", to: "b", status: "5xx", route: "r" };
  await expect.poll(() => told.at(-1)?.observations).toMatchObject([wanted]);
  const observation = told.at(-1)?.observations[0]?.id ?? 0;
  stream.write(create(ObserveRequestsRequestSchema, { observation, requests: [{ path: "/x" }], lost: 2n }));
  await expect.poll(() => seen).toEqual(["node-1 /x 2"]);
  stream.cancel();
  await expect.poll(() => seen.at(-1)).toBe("node-1 it is not connected any more");
  expect(hub.nodes()).toEqual([]);
});

test("nobody tells of another node, and nobody does without a token", async () => {
  const other = connect(await applierToken("node-1"), "node-2");
  await expect.poll(() => other.error()?.code).toBe(grpc.status.PERMISSION_DENIED);
  const workload = connect(await port.issuer.token({ node: "node-1" }), "node-1");
  await expect.poll(() => workload.error()?.code).toBe(grpc.status.PERMISSION_DENIED);
  const unknown = connect(undefined, "node-1");
  await expect.poll(() => unknown.error()?.code).toBe(grpc.status.UNAUTHENTICATED);
  expect(hub.nodes()).toEqual([]);
});
