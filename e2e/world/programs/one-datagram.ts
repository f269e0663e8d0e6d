import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import type { ClientTask } from "../traffic.ts";
import type { Exchange } from "./client.ts";
import { fieldOf } from "./field-of.ts";
import { formatPeer } from "./format-peer.ts";

const openSocket = (host: string): Socket => createSocket(isIPv6(host) ? "udp6" : "udp4");

type Send = (question: string, sent: (error: Error | null) => void) => void;

let questions = 0;

/**
 * Sends one datagram and waits for its answer; late answers to earlier ones are not taken for it.
 * @throws Error with the system's code, or "timeout".
 */
function exchange(
  socket: Socket,
  send: Send,
  timeoutMs: number,
): Promise<{ text: string; from: RemoteInfo }> {
  const question = `question ${(questions += 1)}`;
  return new Promise((resolve, reject) => {
    const end = (action: () => void): void => {
      clearTimeout(timer);
      socket.off("message", onMessage).off("error", onError);
      action();
    };
    const onError = (error: Error): void => end(() => reject(error));
    const onMessage = (bytes: Buffer, from: RemoteInfo): void => {
      const text = bytes.toString();
      if (fieldOf(text, "asked") === question) end(() => resolve({ text, from }));
    };
    const timer = setTimeout(() => onError(new Error("timeout")), timeoutMs);
    socket.on("message", onMessage).on("error", onError);
    send(question, (error) => {
      if (error !== null) onError(error);
    });
  });
}

/** A socket that is never connected: each datagram names its destination, and the answer its sender. */
export class DatagramClient {
  private readonly task: ClientTask;
  private readonly socket: Socket;

  private constructor(task: ClientTask, socket: Socket) {
    this.task = task;
    this.socket = socket;
  }

  static async open(task: ClientTask): Promise<DatagramClient> {
    const socket = openSocket(task.host);
    socket.bind();
    await once(socket, "listening");
    return new DatagramClient(task, socket);
  }

  async exchange(): Promise<Exchange> {
    const { host, port, answer, timeoutMs } = this.task;
    const { text, from } = await exchange(
      this.socket,
      (question, sent) => this.socket.send(question, port, host, sent),
      timeoutMs,
    );
    return { answeredBy: fieldOf(text, answer), peer: formatPeer(from.address, from.port) };
  }

  close(): void {
    this.socket.close();
  }
}

/** One datagram and its answer on a connected socket of their own. */
export async function connectedExchange({ host, port, answer, timeoutMs }: ClientTask): Promise<Exchange> {
  const socket = openSocket(host);
  try {
    socket.connect(port, host);
    await once(socket, "connect");
    const remote = socket.remoteAddress();
    const { text } = await exchange(socket, (question, sent) => socket.send(question, sent), timeoutMs);
    return { answeredBy: fieldOf(text, answer), peer: formatPeer(remote.address, remote.port) };
  } finally {
    socket.close();
  }
}
