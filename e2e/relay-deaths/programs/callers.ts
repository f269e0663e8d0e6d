// Callers in a pod that keep their connections. Its argument is a CallersTask as JSON. For each line of standard input it writes
// what came of all since it began, CallersResult as JSON, once each idle connection has carried one more request; it ends with
// its standard input.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import type { CallersResult, CallersTask } from "../callers.ts";

const task = JSON.parse(process.argv[2] ?? "{}") as CallersTask;
const result: CallersResult = { answers: 0, lost: 0, lostFirst: 0, closedBetween: 0, refused: 0, wrong: [] };
const { paths = ["/"] } = task;
/** As the pods' servers answer, whose bodies come whole, or in one chunk. */
const answer =
  /^HTTP\/1\.1 200 OK\r\n(?:[^\r\n]+\r\n)+\r\n(?:([0-9a-f]+)\r\n)?(\{"pod":"reviews-v\d"[^\r\n]*\})(?:\r\n0\r\n\r\n)?$/;
const lengthOf = /\r\ncontent-length: (\d+)\r\n[^]*?\r\n\r\n/i;

/** Whether all of it is there. */
function isWhole(text: string): boolean {
  const found = lengthOf.exec(text);
  if (found === null) return text.endsWith("\r\n0\r\n\r\n");
  return text.length >= found.index + found[0].length + Number(found[1]);
}

/** A connection with at most one request under way. */
class Connection {
  private readonly socket: Socket;
  private waiting: ((isAnswered: boolean) => void) | undefined;
  private text = "";
  private expected = false;
  private asked = 0;
  isOpen = true;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("error", () => undefined); // "close" follows
    socket.on("data", (chunk: Buffer) => this.onData(chunk.toString("latin1")));
    socket.on("end", () => this.onClose());
    socket.on("close", () => this.onClose());
  }

  static async open(): Promise<Connection> {
    for (;;) {
      const socket = connect(task.port, task.host);
      try {
        await once(socket, "connect");
        return new Connection(socket);
      } catch {
        result.refused += 1;
        await delay(10);
      }
    }
  }

  /** @returns false: it ended before the answer was whole */
  ask(): Promise<boolean> {
    const asked = new Promise<boolean>((resolve) => (this.waiting = resolve));
    const path = paths[this.asked++ % paths.length];
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: reviews\r\n\r\n`);
    return asked;
  }

  close(): void {
    this.expected = true;
    this.socket.destroy();
  }

  private onData(text: string): void {
    this.text += text;
    if (!this.text.startsWith("HTTP/1.1 200".slice(0, this.text.length))) return this.onWrong();
    if (!isWhole(this.text)) return;
    if (this.waiting === undefined || !answer.test(this.text)) return this.onWrong();
    this.text = "";
    result.answers += 1;
    this.settle(true);
  }

  private onWrong(): void {
    result.wrong.push(this.text);
    this.socket.destroy();
  }

  private onClose(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.socket.destroy();
    if (this.expected) return;
    if (this.waiting === undefined) result.closedBetween += 1;
    else result.lost += 1;
    this.settle(false);
  }

  private settle(isAnswered: boolean): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.(isAnswered);
  }
}

const stopping = new AbortController();

async function converse(pauseMs: () => number): Promise<void> {
  let connection = await Connection.open();
  while (!stopping.signal.aborted) {
    if (!connection.isOpen) connection = await Connection.open();
    if (!(await connection.ask())) continue;
    const pause = pauseMs();
    if (pause > 0) await delay(pause);
  }
  connection.close();
}

async function connectAnew(): Promise<void> {
  while (!stopping.signal.aborted) {
    const connection = await Connection.open();
    if (!(await connection.ask())) result.lostFirst += 1;
    connection.close();
  }
}

const idle = await Promise.all(Array.from({ length: task.idle }, () => Connection.open()));
await Promise.all(idle.map((connection) => connection.ask()));
const talks = [
  ...Array.from({ length: task.busy }, () => converse(() => 0)),
  ...Array.from({ length: task.pausing }, () => converse(() => Math.random() * 50)),
  ...Array.from({ length: task.fresh }, () => connectAnew()),
];
process.stdout.write("listening\n");
const asked = createInterface({ input: process.stdin });
asked.on("line", () => {
  void Promise.all(idle.map(async (connection) => connection.isOpen && connection.ask())).then(() =>
    process.stdout.write(`${JSON.stringify(result)}\n`),
  );
});
await once(asked, "close");
stopping.abort();
await Promise.all(talks);
process.exit(0);
