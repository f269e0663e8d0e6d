import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endHolder } from "bpf-maps-native";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listening, readUntil } from "../testing/relay-world.ts";

const request = "GET / HTTP/1.1\r\nHost: web\r\n\r\n";
/** Milliseconds: each test starts up to four processes, for which a busy machine takes seconds. */
const takesProcesses = { timeout: 60_000 };
const program = new URL("../testing/held-relay.ts", import.meta.url);

let stack: AsyncDisposableStack;
let holder: string;
let server: number;
let relay: { readonly child: ChildProcess; readonly port: number; readonly errors: string[] };
/** Requests that the server has. */
let asked: number;
/** Answers the request for /later. */
let answerLater: () => void;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  asked = 0;
  const folder = mkdtempSync(join(tmpdir(), "keelson-held-"));
  holder = join(folder, "held");
  stack.defer(() => {
    endHolder(holder);
    rmSync(folder, { recursive: true });
  });
  const answers = createServer((incoming, response) => {
    asked++;
    response.sendDate = false; // equal requests have equal answers, whenever they come
    if (incoming.url === "/later") answerLater = () => response.end("hello");
    else if (incoming.url !== "/never") response.end("hello");
  });
  server = await listening(stack, answers);
  relay = await startRelay();
});
afterEach(() => stack.disposeAsync());

async function startRelay(): Promise<typeof relay> {
  const child = fork(program, [holder, String(server)]);
  stack.defer(() => {
    child.kill("SIGKILL");
  });
  const errors: string[] = [];
  const port = await new Promise<number>((resolve) => {
    child.on("message", (message: { error?: string; port?: number }) => {
      if (message.error !== undefined) errors.push(message.error);
      if (message.port !== undefined) resolve(message.port);
    });
  });
  return { child, port, errors };
}

async function kill(): Promise<void> {
  relay.child.kill("SIGKILL");
  await once(relay.child, "exit");
}

async function call(): Promise<Socket> {
  const socket = connect(relay.port, "127.0.0.1");
  stack.defer(() => {
    socket.destroy();
  });
  socket.on("error", () => undefined); // tests look at how it ends
  await once(socket, "connect");
  return socket;
}

async function ask(socket: Socket): Promise<string> {
  socket.write(request);
  return readUntil(socket, "hello");
}

const isEnded = (socket: Socket): (() => boolean) => {
  let ended = false;
  for (const event of ["end", "close"]) socket.once(event, () => (ended = true));
  socket.resume();
  return () => ended;
};

/** Of the holder; 0: there is none. */
function holderPid(): number {
  const found = readdirSync("/proc").find((id) => {
    try {
      return readFileSync(`/proc/${id}/cmdline`, "latin1").includes(`/descriptor-holder\0${holder}\0`);
    } catch {
      return false; // no process, or it has ended
    }
  });
  return Number(found ?? 0);
}

const descriptorsOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

test(
  "of a relay that is killed the next one has the listener and what stood between two requests; the rest is closed",
  takesProcesses,
  async () => {
    const [answered, fresh, underWay, partly, behind] = await Promise.all([
      call(),
      call(),
      call(),
      call(),
      call(),
    ]);
    const first = await ask(answered);
    underWay.write(request.replace("/", "/never"));
    await expect.poll(() => asked).toBe(2);
    partly.write("GET / HTTP/1.1\r\nHo");
    // Its first answer has come, and a part of its next request lies with the relay.
    behind.write(`${request}GET /`);
    expect(await readUntil(behind, "hello")).toBe(first);
    const ends = [underWay, partly, behind].map(isEnded);
    await kill();

    const { port } = relay;
    const late = await call();
    late.write(request);
    answered.write(request);
    relay = await startRelay();
    expect(relay.port).toBe(port);
    await expect.poll(() => ends.map((isOver) => isOver())).toEqual([true, true, true]);
    expect(await readUntil(answered, "hello")).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(await readUntil(late, "hello")).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    for (const socket of [fresh, answered]) expect(await ask(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    // How far it is counts from where the relay before was.
    await kill();
    relay = await startRelay();
    for (const socket of [fresh, answered, late]) expect(await ask(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(relay.errors).toEqual([]);
  },
);

test(
  "a relay that hands over leaves all that stands between two requests, and what is under way as soon as it is answered",
  takesProcesses,
  async () => {
    const [answered, fresh, underWay] = await Promise.all([call(), call(), call()]);
    await ask(answered);
    underWay.write(request.replace("/", "/later"));
    await expect.poll(() => asked).toBe(2);
    const ended = once(relay.child, "exit");
    const { pid = 0 } = relay.child;
    // It has let go of two connections, and of both listeners.
    const before = descriptorsOf(pid);
    relay.child.send("hand over");
    await expect.poll(() => descriptorsOf(pid)).toBe(before - 4);
    answerLater();
    expect(await readUntil(underWay, "hello")).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    const late = await call();
    late.write(request);
    answered.write(request);
    await ended;
    relay = await startRelay();
    for (const socket of [late, answered])
      expect(await readUntil(socket, "hello")).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    for (const socket of [fresh, underWay, answered])
      expect(await ask(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(relay.errors).toEqual([]);
  },
);

test(
  "a relay that hands over looks for its holder first, and leaves all to a new one where that is gone",
  takesProcesses,
  async () => {
    const [answered, underWay] = await Promise.all([call(), call()]);
    await ask(answered);
    underWay.write(request.replace("/", "/later"));
    await expect.poll(() => asked).toBe(2);
    process.kill(holderPid(), "SIGKILL");
    await expect.poll(holderPid).toBe(0);
    const ended = once(relay.child, "exit");
    relay.child.send("hand over");
    await expect.poll(holderPid).toBeGreaterThan(0);
    await expect.poll(() => relay.errors).toHaveLength(1);
    const late = await call();
    late.write(request);
    answerLater();
    expect(await readUntil(underWay, "hello")).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    await ended;
    relay = await startRelay();
    expect(await readUntil(late, "hello")).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    for (const socket of [answered, underWay]) expect(await ask(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  },
);

test(
  "a holder that is killed is followed by one that has the same, from the relay's next word to it on",
  takesProcesses,
  async () => {
    const kept = await call();
    await ask(kept);
    const before = descriptorsOf(holderPid());
    process.kill(holderPid(), "SIGKILL");
    await expect.poll(holderPid).toBe(0);
    const later = await call();
    await ask(later);
    await expect.poll(holderPid).toBeGreaterThan(0);
    await expect.poll(() => relay.errors).toHaveLength(1);
    expect(await ask(kept)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    await expect.poll(() => descriptorsOf(holderPid())).toBe(before + 1);
    const last = await call();
    await ask(last);
    await kill();
    relay = await startRelay();
    for (const socket of [kept, later, last]) expect(await ask(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  },
);
