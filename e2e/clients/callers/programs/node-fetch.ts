// node node-fetch.ts BASE: does the tasks on its standard input (callers/tasks.ts) with fetch.
import { createHash } from "node:crypto";
import { createInterface } from "node:readline";

const [, , base = ""] = process.argv;

function bodyOf(size: number, chunked: boolean): RequestInit {
  if (size < 0) return {};
  const body = Uint8Array.from({ length: size }, (_, place) => 97 + (place % 26));
  if (!chunked) return { body };
  const stream = new ReadableStream({
    start(controller) {
      for (let at = 0; at < size; at += 10_000) controller.enqueue(body.subarray(at, at + 10_000));
      controller.close();
    },
  });
  return { body: stream, duplex: "half" };
}

async function once([method = "", path = "", size, chunked, , header = ""]: string[]): Promise<string> {
  try {
    const headers = header === "" ? {} : { "x-test": header };
    const answer = await fetch(base + path, { method, headers, ...bodyOf(Number(size), chunked === "1") });
    const body = Buffer.from(await answer.arrayBuffer());
    const digest = createHash("sha256").update(body).digest("hex");
    return [answer.status, digest, answer.headers.get("content-length") ?? ""].join("\t");
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    return `error\t${String(error)} ${cause instanceof Error ? cause.message : ""}`.replaceAll("\n", " ");
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const words = line.split("\t");
  const times = Number(words[6]);
  const answers: string[] = [];
  if (words[7] === "1")
    answers.push(...(await Promise.all(Array.from({ length: times }, () => once(words)))));
  else for (let i = 0; i < times; i++) answers.push(await once(words));
  process.stdout.write(answers.map((answer) => `${answer}\n`).join(""));
}
