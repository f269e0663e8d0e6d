import * as grpc from "@grpc/grpc-js";
import { TelemetryService } from "@keelson/protos/telemetry";
import { expect, onTestFinished, test } from "vitest";
import { ObservationStream } from "./observation-stream.ts";

/** A control plane that ends each stream at once. */
async function endingServer(onStream: () => void): Promise<string> {
  const { observeRequests: method } = TelemetryService.method;
  const same = (bytes: Buffer): Buffer => bytes;
  const server = new grpc.Server();
  server.addService(
    {
      observe: {
        path: `/${TelemetryService.typeName}/${method.name}`,
        requestStream: true,
        responseStream: true,
        requestSerialize: same,
        requestDeserialize: same,
        responseSerialize: same,
        responseDeserialize: same,
      },
    },
    {
      observe: (stream: grpc.ServerDuplexStream<Buffer, Buffer>) => {
        onStream();
        stream.end();
      },
    },
  );
  onTestFinished(() => server.forceShutdown());
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return `127.0.0.1:${port}`;
}

// By its own pauses, which double from a second on, the sixth stream would come after half a minute.
test("a control plane that is found again is not waited for", { timeout: 20_000 }, async () => {
  let streams = 0;
  const stream = new ObservationStream({
    node: "n1",
    address: await endingServer(() => (streams += 1)),
    credentials: grpc.credentials.createInsecure(),
    observe: () => () => undefined,
  });
  onTestFinished(() => stream.close());
  stream.start();
  const looked = expect.poll(
    () => {
      stream.tryNow();
      return streams;
    },
    { timeout: 15_000, interval: 20 },
  );
  await looked.toBeGreaterThan(5);
});
