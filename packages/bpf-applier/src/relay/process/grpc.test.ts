import * as grpc from "@grpc/grpc-js";
import { ApplicationProtocol } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { RelayWorld, setName } from "./testing/relay-world.ts";

const same = (bytes: Buffer): Buffer => bytes;
const method = (path: string, responseStream: boolean) => ({
  path,
  requestStream: false,
  responseStream,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
});
const methods = { say: method("/test.Echo/Say", false), count: method("/test.Echo/Count", true) };

async function echoServer(stack: AsyncDisposableStack): Promise<number> {
  const server = new grpc.Server();
  server.addService(methods, {
    say: (call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => {
      const text = call.request.toString();
      if (text === "fail") done({ code: grpc.status.FAILED_PRECONDITION, details: "as asked" });
      else if (text !== "wait")
        done(null, Buffer.from(`${text} of ${String(call.metadata.get("x-who")[0])}`));
    },
    count: (call: grpc.ServerWritableStream<Buffer, Buffer>) => {
      for (let number = 1; number <= 1000; number++) call.write(Buffer.from(String(number)));
      call.end();
    },
  });
  stack.defer(() => server.forceShutdown());
  return await new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}

test("gRPC: calls, streams, statuses and deadlines of its own client and server", async () => {
  await using stack = new AsyncDisposableStack();
  const servers = { [setName]: [await echoServer(stack)] };
  const world = stack.use(await RelayWorld.start(servers, { applicationProtocol: ApplicationProtocol.GRPC }));
  const client = new grpc.Client(`127.0.0.1:${world.port}`, grpc.credentials.createInsecure());
  stack.defer(() => client.close());
  const metadata = new grpc.Metadata();
  metadata.set("x-who", "me");
  const say = (text: string, options: grpc.CallOptions = {}): Promise<string> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        methods.say.path,
        same,
        same,
        Buffer.from(text),
        metadata,
        options,
        (error, answer) => (error === null ? resolve(String(answer)) : reject(error)),
      );
    });
  expect(await say("hello")).toBe("hello of me");
  await expect(say("fail")).rejects.toMatchObject({
    code: grpc.status.FAILED_PRECONDITION,
    details: "as asked",
  });
  await expect(say("wait", { deadline: Date.now() + 200 })).rejects.toMatchObject({
    code: grpc.status.DEADLINE_EXCEEDED,
  });
  // In hours, which are more milliseconds than timers can count: what a client says that has all the time.
  await expect(say("hello", { deadline: Date.now() + 1e13 })).resolves.toBe("hello of me");
  const numbers: string[] = [];
  const stream = client.makeServerStreamRequest(methods.count.path, same, same, Buffer.alloc(0));
  for await (const number of stream) numbers.push(String(number));
  expect(numbers).toHaveLength(1000);
  expect(numbers.at(-1)).toBe("1000");
});
