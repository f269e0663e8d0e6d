import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { ReportEdgesRequestSchema, ReportEdgesResponseSchema } from "@keelson/protos/telemetry";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type TestCaller, TestSecurePort } from "../testing/test-secure-port.ts";
import { EdgeLedger } from "./edge-ledger.ts";
import { registerTelemetry } from "./telemetry-service.ts";

let ledger: EdgeLedger;
let port: TestSecurePort;

beforeEach(async () => {
  ledger = new EdgeLedger();
  port = await TestSecurePort.start({}, ({ server, serving }) =>
    registerTelemetry(server, ledger, serving.guard),
  );
});

afterEach(async () => port[Symbol.asyncDispose]());

/** Reports for each node in one stream. @returns the answer's number of reports @throws grpc.ServiceError */
async function report(caller: TestCaller, ...nodes: readonly string[]): Promise<bigint> {
  const { promise, resolve, reject } = Promise.withResolvers<bigint>();
  const stream = port.client(caller).makeClientStreamRequest(
    "/keelson.telemetry.v1.TelemetryService/ReportEdges",
    (node: string) =>
      Buffer.from(toBinary(ReportEdgesRequestSchema, create(ReportEdgesRequestSchema, { node }))),
    (bytes) => fromBinary(ReportEdgesResponseSchema, bytes).reports,
    (error, reports) => (error === null ? resolve(reports ?? 0n) : reject(error)),
  );
  for (const node of nodes) stream.write(node);
  stream.end();
  return promise;
}

const applierToken = (node: string): Promise<string> =>
  port.issuer.token({ namespace: "istio-system", serviceAccount: "bpf-applier", node });

const reporting = (): string[] => ledger.reports().map(({ node }) => node);

describe("on a port with TLS", () => {
  test("an applier reports for the node that its token is bound to", async () => {
    expect(await report({ token: await applierToken("node-1") }, "node-1", "node-1")).toBe(2n);
    expect(reporting()).toEqual(["node-1"]);
  });

  test("nobody reports for another node", async () => {
    const refused = report({ token: await applierToken("node-1") }, "node-2");
    await expect(refused).rejects.toMatchObject({
      code: grpc.status.PERMISSION_DENIED,
      details: 'the node claims to be on "node-2"; its token was issued for node-1',
    });
    expect(reporting()).toEqual([]);
  });

  test("no workload reports for its node", async () => {
    const token = await port.issuer.token({ node: "node-1" });
    await expect(report({ token }, "node-1")).rejects.toMatchObject({ code: grpc.status.PERMISSION_DENIED });
    expect(reporting()).toEqual([]);
  });

  test("nobody reports without a token", async () => {
    await expect(report({}, "node-1")).rejects.toMatchObject({
      code: grpc.status.UNAUTHENTICATED,
      details: "neither a client certificate nor a bearer token was presented",
    });
    expect(reporting()).toEqual([]);
  });
});
