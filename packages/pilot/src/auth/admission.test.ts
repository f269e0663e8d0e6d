import * as grpc from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeCertificate } from "../testing/test-certificates.ts";
import { type TestCaller, TestSecurePort } from "../testing/test-secure-port.ts";
import { admitBy, type IntroducedNode, type StreamAdmission } from "./admission.ts";
import { openGuard } from "./peer-guard.ts";

/** Answers with what becomes of a caller and of the node that its request is; "" for none. */
const admission = {
  path: "/test.Admission/Ask",
  requestStream: false,
  responseStream: false,
  requestSerialize: (text: string) => Buffer.from(text),
  requestDeserialize: String,
  responseSerialize: (text: string) => Buffer.from(text),
  responseDeserialize: String,
} as const;

type Incoming = Parameters<grpc.handleUnaryCall<string, string>>;

let port: TestSecurePort;

beforeAll(async () => {
  port = await TestSecurePort.start({}, ({ server, serving }) => {
    const admit = { guarded: admitBy(serving.guard), open: admitBy(openGuard) };
    const settle = async (which: keyof typeof admit, ...[call, callback]: Incoming): Promise<void> => {
      const node = JSON.parse(call.request) as IntroducedNode | null;
      callback(null, JSON.stringify(await admit[which](call, node ?? undefined)));
    };
    server.addService(
      { guarded: admission, open: { ...admission, path: "/test.Admission/AskOpen" } },
      {
        guarded: (...incoming: Incoming) => void settle("guarded", ...incoming),
        open: (...incoming: Incoming) => void settle("open", ...incoming),
      },
    );
  });
});

afterAll(async () => port[Symbol.asyncDispose]());

async function ask(
  caller: TestCaller,
  node: IntroducedNode["message"] | null,
  path: string = admission.path,
): Promise<StreamAdmission> {
  const client = port.client(caller);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const request = JSON.stringify(node === null ? null : { message: node });
  client.makeUnaryRequest(path, admission.requestSerialize, String, request, (error, text) =>
    error === null ? resolve(text ?? "") : reject(error),
  );
  return JSON.parse(await promise.finally(() => client.close())) as StreamAdmission;
}

const applier = (node: string) => ({ id: `bpf-applier~${node}`, metadata: { NODE_NAME: node } });
const applierOf = async (node: string): Promise<TestCaller> => ({
  token: await port.issuer.token({ namespace: "istio-system", serviceAccount: "bpf-applier", node }),
});
const sidecar = {
  id: "sidecar~10.0.0.1~reviews-1.default~default.svc.cluster.local",
  metadata: { NODE_NAME: "node-1" },
};

describe("on a guarded port", () => {
  test("an applier is admitted as the node of its token", async () => {
    expect(await ask(await applierOf("node-1"), applier("node-1"))).toEqual({
      admitted: true,
      nodeName: "node-1",
    });
  });

  test("an applier is not admitted as another node", async () => {
    expect(await ask(await applierOf("node-1"), applier("node-2"))).toEqual({
      admitted: false,
      code: "PERMISSION_DENIED",
      reason: 'the node claims to be on "node-2"; its token was issued for node-1',
    });
  });

  test("a workload is admitted by its token or its certificate, and sees nothing of its node", async () => {
    const uri = { type: "url", value: "spiffe://cluster.local/ns/default/sa/reviews" } as const;
    const certificate = await makeCertificate({ names: [uri], issuer: port.root });
    for (const caller of [{ token: await port.issuer.token() }, { certificate }]) {
      expect(await ask(caller, sidecar)).toEqual({ admitted: true, nodeName: "" });
    }
  });

  test("a workload is not admitted as one of another namespace, nor as an applier", async () => {
    const token = await port.issuer.token({ namespace: "other", node: "node-1" });
    expect(await ask({ token }, sidecar)).toMatchObject({ admitted: false, code: "PERMISSION_DENIED" });
    expect(await ask({ token }, applier("node-1"))).toMatchObject({
      admitted: false,
      code: "PERMISSION_DENIED",
    });
  });

  test("a peer without a node sees nothing of any", async () => {
    expect(await ask(await applierOf("node-1"), null)).toEqual({ admitted: true, nodeName: "" });
  });

  test("nobody is admitted without a good credential", async () => {
    expect(await ask({}, sidecar)).toMatchObject({ admitted: false, code: "UNAUTHENTICATED" });
    const token = await port.issuer.token({ expiresIn: -1 });
    expect(await ask({ token }, sidecar)).toMatchObject({
      admitted: false,
      code: "UNAUTHENTICATED",
      reason: expect.stringMatching(/^JWT: "exp" claim/),
    });
  });
});

test("on an open port everybody is who they say they are", async () => {
  expect(await ask({}, applier("node-7"), "/test.Admission/AskOpen")).toEqual({
    admitted: true,
    nodeName: "node-7",
  });
});
