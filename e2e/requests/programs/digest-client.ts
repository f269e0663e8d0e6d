// Sends requests on kept connections and compares digests both ways; prints what came of it as JSON. The argument is a
// DigestTask. A line on its standard input ends it early: connections finish the request that is under way.
import { createHash } from "node:crypto";
import { Agent, type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { DigestResult, DigestTask } from "../digest-task.ts";
import { bytesOf, randomOf } from "./bytes-of.ts";

const task = JSON.parse(process.argv[2] ?? "{}") as DigestTask;
const result: DigestResult = {
  requests: 0,
  wrong: 0,
  failures: {},
  connections: 0,
  seenRequests: 0,
  seenBytes: 0,
};
let left = task.requests ?? Number.POSITIVE_INFINITY;
process.stdin.on("data", () => (left = 0)).unref();

const opened = new Set<Socket>();

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/** Sizes of all magnitudes alike, among them 0. */
const sizeOf = (random: () => number): number => Math.floor(task.mostBytes ** random()) - 1;

async function exchange(agent: Agent, random: () => number): Promise<void> {
  const body = bytesOf(Math.floor(random() * 2 ** 31), sizeOf(random));
  const seed = Math.floor(random() * 2 ** 31);
  const answerBytes = sizeOf(random);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const call = request({
      host: task.host,
      port: task.port,
      method: body.length === 0 ? "GET" : "POST",
      agent,
      headers: {
        "x-seed": seed,
        "x-answer-bytes": answerBytes,
        ...(body.length === 0 ? {} : { "content-length": body.length }),
      },
    });
    call.on("socket", (socket) => opened.add(socket));
    call.on("response", resolve).on("error", reject).end(body);
  });
  const answer = await bodyOf(response);
  result.requests += 1;
  if (response.headers["x-digest"] !== sha256(body)) result.wrong += 1;
  if (sha256(answer) !== sha256(bytesOf(seed, answerBytes))) result.wrong += 1;
  result.seenRequests = Math.max(result.seenRequests, Number(response.headers["x-seen-requests"]));
  result.seenBytes = Math.max(result.seenBytes, Number(response.headers["x-seen-bytes"]));
}

async function connection(number: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const random = randomOf(task.seed + number);
  while (left > 0) {
    left -= 1;
    // Where something happens meanwhile, programs that start need processors.
    if (task.requests === undefined) await delay(5);
    try {
      await exchange(agent, random);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      result.failures[code ?? message] = (result.failures[code ?? message] ?? 0) + 1;
    }
  }
  agent.destroy();
}

await Promise.all(Array.from({ length: task.connections }, (_, number) => connection(number)));
result.connections = opened.size;
process.stdout.write(JSON.stringify(result), () => process.exit(0));
