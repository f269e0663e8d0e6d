// An honest user of every port, in a thread of its own: what it waits for is the program, never the attacker.
import { parentPort, workerData } from "node:worker_threads";
import * as grpc from "@grpc/grpc-js";
import { DeltaXdsClient } from "@keelson/xds";
import { createCertificate } from "../peers/create-certificate.ts";
import { http } from "../peers/http.ts";
import { clusterType } from "./grpc-call.ts";
import type { HonestData, HonestRound } from "./honest.ts";

const { ports, root, token, csr } = workerData as HonestData;
const discoveryName = "istiod.istio-system.svc";
const node = {
  id: "sidecar~10.1.1.1~honest.default~default.svc.cluster.local",
  metadata: { NAMESPACE: "default", SERVICE_ACCOUNT: "default" },
};

const get = (port: number, path: string) => async (): Promise<void> => {
  const { status, body } = await http({ host: "127.0.0.1", port, path });
  if (status !== 200) throw new Error(`${path} answered ${status}: ${body.slice(0, 200)}`);
};

/** Connects anew and waits for its clusters. */
const follow = (port: number, credentials: grpc.ChannelCredentials) => async (): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const client = new DeltaXdsClient({
    address: `127.0.0.1:${port}`,
    credentials,
    node,
    typeUrls: [clusterType],
    onUpdate: async () => resolve(),
    onState: ({ error }) => error !== undefined && reject(new Error(error)),
  });
  client.start();
  try {
    await promise;
  } finally {
    await client.close();
  }
};

const bearer = grpc.credentials.createFromMetadataGenerator((_, callback) => {
  const metadata = new grpc.Metadata();
  metadata.set("authorization", `Bearer ${token}`);
  callback(null, metadata);
});
const tls = grpc.credentials.createSsl(Buffer.from(root), undefined, undefined, {
  checkServerIdentity: () => undefined,
});
const address = `127.0.0.1:${ports.secureGrpc}`;

/** What it does in a round, and after how many ms such a user gives up: kubelet's probe, Envoy's first fetch, the agent's call. */
const steps: readonly (readonly [string, number, () => Promise<unknown>])[] = [
  ["GET /ready", 5_000, get(ports.http, "/ready")],
  ["GET /v1/registration", 5_000, get(ports.http, "/v1/registration")],
  ["GET /metrics", 5_000, get(ports.monitoring, "/metrics")],
  ["GET /metrics, old port", 5_000, get(ports.oldMonitoring, "/metrics")],
  ["ADS in the clear", 15_000, follow(ports.grpc, grpc.credentials.createInsecure())],
  ["ADS with TLS", 15_000, follow(ports.secureGrpc, grpc.credentials.combineChannelCredentials(tls, bearer))],
  ["CreateCertificate", 10_000, () => createCertificate({ address, name: discoveryName, root, token, csr })],
];

async function step([what, patienceMs, action]: (typeof steps)[number]): Promise<string | undefined> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`not within ${patienceMs} ms`)), patienceMs);
  try {
    await Promise.race([action(), late.promise]);
    return undefined;
  } catch (error) {
    return `${what}: ${(error as Error).message}`;
  } finally {
    clearTimeout(timer);
  }
}

for (;;) {
  const begin = performance.now();
  const failures = (await Promise.all(steps.map(step))).filter((failure) => failure !== undefined);
  const round: HonestRound = { failures, ms: performance.now() - begin };
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(round);
}
