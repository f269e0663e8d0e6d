import type { Socket } from "node:net";
import { incomplete, longestClientHello, serverNameOf } from "./client-hello.ts";
import { peek } from "./peek.ts";
import type { HeadReader, UnfinishedHead } from "./unfinished-heads.ts";

/** A server name; undefined: none is asked for. */
interface Named {
  readonly name: string | undefined;
}

const unnamed: Named = { name: undefined };

function tell(bytes: Buffer): Named | undefined {
  const name = serverNameOf(bytes);
  return name === incomplete ? undefined : { name };
}

const options = { tell, otherwise: unnamed, enough: longestClientHello, waitMs: undefined };

/** Reads which server TLS handshakes of callers are for. One whose first message is not whole in time is closed. */
export class ClientHellos implements HeadReader {
  private readonly timeMs: number;
  /** Connections of which it is not known yet, and the networks that they come from. */
  private readonly reading = new Map<Socket, object>();

  /** @param timeMs from a handshake's first bytes */
  constructor(timeMs: number) {
    this.timeMs = timeMs;
  }

  /**
   * @param socket whose first bytes were put back, as all that is read here will be
   * @param network that it comes from
   * @param named not called where the connection is closed before
   */
  read(socket: Socket, network: object, named: (serverName: string | undefined) => void): void {
    this.reading.set(socket, network);
    const timer = setTimeout(() => socket.destroy(), this.timeMs);
    const onDone = (): void => {
      clearTimeout(timer);
      this.reading.delete(socket);
    };
    socket.once("close", onDone);
    peek(socket, options, ({ name }) => {
      socket.off("close", onDone);
      onDone();
      named(name);
    });
  }

  unfinished(): UnfinishedHead[] {
    return [...this.reading].map(([socket, network]) => ({ socket, network, bytes: socket.bytesRead }));
  }

  refuseUnfinished(socket: Socket): void {
    socket.destroy();
  }
}
