// node node-server.ts PORT: answers what e2e/clients/steps.ts asks, with node:http.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

const largest = Buffer.from(Uint8Array.from({ length: 2 ** 25 }, (_, place) => 97 + (place % 26)));

async function bodyDigest(request: IncomingMessage): Promise<string> {
  const hash = createHash("sha256");
  let length = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    hash.update(piece);
    length += piece.length;
  }
  return `${length} ${hash.digest("hex")}\n`;
}

async function inPieces(
  response: ServerResponse,
  size: number,
  piece: number,
  pauseMs: number,
): Promise<void> {
  for (let at = 0; at < size; at += piece) {
    response.write(largest.subarray(at, Math.min(size, at + piece)));
    if (pauseMs > 0) await delay(pauseMs);
  }
  response.end();
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const target = request.url ?? "";
  const [, what = "", value = ""] = target.split("/");
  const number = Number(value);
  const whole = (content: Buffer | string): void => {
    response.setHeader("content-length", Buffer.byteLength(content));
    response.end(request.method === "HEAD" ? undefined : content);
  };
  if (what === "bytes") whole(largest.subarray(0, number));
  else if (what === "digest") whole(await bodyDigest(request));
  else if (what === "chunked") await inPieces(response, number, 1_000, 0);
  else if (what === "drip") await inPieces(response, number, 1, 30);
  else if (what === "status") response.writeHead(number).end(number === 500 ? "status 500\n" : undefined);
  else if (what === "redirect-post")
    response.writeHead(307, { location: "/digest", "content-length": 0 }).end();
  else if (what === "redirect" && number > 0)
    response
      .writeHead(302, {
        location: number === 1 ? "/bytes/128" : `/redirect/${number - 1}`,
        "content-length": 0,
      })
      .end();
  else if (what === "target") whole(target);
  else if (what === "header") whole(String(request.headers["x-test"]));
  else if (what === "slow") await delay(number).then(() => whole("slow\n"));
  else response.writeHead(404).end();
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => response.destroy(error as Error));
});
server.listen({ port: Number(process.argv[2]), host: "::" });
