import { createInterface } from "node:readline";
import { type CallOptions, Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { XdsChannelCredentials } from "@grpc/grpc-js-xds";
import { z } from "zod";
import { echoService, field, type Message } from "./echo-service.ts";

const batchSchema = z.object({
  count: z.number(),
  concurrency: z.number(),
  deadlineMs: z.number(),
  text: z.string(),
  headers: z.record(z.string(), z.string()),
});

type Batch = z.infer<typeof batchSchema>;

/** Keeps one channel for all batches, so that they see it change. */
export async function runClient(target: string): Promise<void> {
  // By xDS where it says so, else in the clear.
  const client = new Client(target, new XdsChannelCredentials(credentials.createInsecure()));
  for await (const line of createInterface(process.stdin)) {
    const tally = await send(client, batchSchema.parse(JSON.parse(line)));
    process.stdout.write(`${JSON.stringify(tally)}\n`);
  }
  client.close();
}

async function send(client: Client, batch: Batch) {
  const answers: Record<string, number> = {};
  const failures: Record<string, number> = {};
  let firstFailure = "";
  let left = batch.count;
  const sender = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const { error, server } = await sendOne(client, batch);
      if (error === undefined) {
        answers[server] = (answers[server] ?? 0) + 1;
        continue;
      }
      const code = status[error.code];
      failures[code] = (failures[code] ?? 0) + 1;
      firstFailure ||= error.details;
    }
  };
  await Promise.all(Array.from({ length: Math.max(batch.concurrency, 1) }, sender));
  return { answers, failures, firstFailure };
}

interface Outcome {
  readonly error?: ServiceError;
  /** Who answered; empty if nobody did. */
  readonly server: string;
}

function sendOne(client: Client, { text, headers, deadlineMs }: Batch): Promise<Outcome> {
  const { path, requestSerialize, responseDeserialize } = echoService.say;
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const request: Message = { [field.requestText]: text };
  const options: CallOptions = { deadline: Date.now() + deadlineMs };
  return new Promise((resolve) => {
    const done = (error: ServiceError | null, reply?: Message) =>
      resolve({ ...(error ? { error } : {}), server: reply?.[field.replyServer] ?? "" });
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, options, done);
  });
}
