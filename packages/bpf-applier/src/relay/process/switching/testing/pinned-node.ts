import { once } from "node:events";
import { closeSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { connectInNamespace, socketCookie } from "bpf-maps-native";
import { expect } from "vitest";
import { PinFolder } from "../../../../pins.ts";
import { Programs } from "../../../../programs.ts";
import { PinnedKernel } from "../pinned-kernel.ts";

/** The programs of a node that takes requests, and sockets to put into their maps. */
export class PinnedNode {
  readonly kernel: PinnedKernel;
  /** Where its maps are pinned. */
  readonly folder: string;
  private readonly port: number;
  private readonly open = new Set<number>();
  private readonly peers: ReadonlySet<Socket>;

  private constructor(kernel: PinnedKernel, folder: string, port: number, peers: ReadonlySet<Socket>) {
    this.kernel = kernel;
    this.folder = folder;
    this.port = port;
    this.peers = peers;
  }

  static async start(stack: AsyncDisposableStack, name: string): Promise<PinnedNode> {
    const pins = await PinFolder.create(`keelson-${name}-${process.pid}`);
    stack.defer(() => pins.remove());
    const programs = await Programs.load(pins, {}, "switch");
    stack.defer(() => programs.close());
    expect(programs.sockets).toEqual({ mode: "switch" });
    const kernel = PinnedKernel.open(pins.mapFolder);
    if (kernel === undefined) throw new Error("no program is pinned");
    const peers = new Set<Socket>();
    const server = createServer((peer) => {
      peers.add(peer);
      peer.on("error", () => undefined);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    stack.defer(() => {
      server.close();
      for (const peer of peers) peer.destroy();
    });
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const node = new PinnedNode(kernel, pins.mapFolder, address.port, peers);
    stack.defer(() => node.closeAll());
    return node;
  }

  async connect(): Promise<{ fd: number; cookie: bigint }> {
    const fd = await connectInNamespace(undefined, { address: "127.0.0.1", port: this.port });
    this.open.add(fd);
    return { fd, cookie: socketCookie(fd) };
  }

  /** The other ends of all connections do. */
  say(text: string): void {
    for (const peer of this.peers) peer.write(text);
  }

  closeAll(): void {
    for (const fd of this.open) closeSync(fd);
    this.open.clear();
  }
}
